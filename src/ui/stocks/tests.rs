//! What the page remembers, and what it draws of it.

use tertulia_protocol::Quote;
use tertulia_protocol::codec::{decode, encode};

use super::market::{Market, Stock};

fn quote(second: i64, price: i64) -> Quote {
    Quote { symbol: "AAPL".to_owned(), price, change: price - 1_000, at: second * 1_000 }
}

fn stock(prices: &[(i64, i64)]) -> Stock {
    let quotes: Vec<Quote> = prices.iter().map(|(second, price)| quote(*second, *price)).collect();
    let mut stock = Stock::new(&quotes[0]);
    quotes[1..].iter().for_each(|quote| stock.hear(quote));
    stock
}

#[test]
fn a_point_is_the_last_price_of_its_five_seconds_and_silence_leaves_a_hole() {
    assert_eq!(stock(&[(100, 1_000), (101, 1_001), (104, 1_004)]).prices, [1_004]);
    assert_eq!(stock(&[(100, 1_000), (105, 1_005), (121, 1_021)]).prices, [1_000, 1_005, 0, 0, 1_021]);
    assert_eq!(stock(&[(100, 1_000), (99, 7)]).prices, [1_000], "what is older changes nothing");
    let back = stock(&[(100, 1_000), (100_000, 1_007)]);
    assert_eq!((back.prices.len(), back.price()), (61, 1_007), "a day away costs no more than five minutes");
}

#[test]
fn only_five_minutes_are_kept_and_they_survive_the_way_to_the_browser() {
    let prices: Vec<(i64, i64)> = (0..1_000).map(|second| (second, 1_000 + second % 50)).collect();
    let stock = stock(&prices);
    assert_eq!(stock.prices.len(), 61);
    let market = Market { off: false, stocks: vec![stock] };
    assert_eq!(decode::<Market>(&encode(&market)), Ok(market));
}

#[test]
fn a_course_stays_in_its_box_and_shows_the_opening() {
    let course = stock(&[(0, 990), (5, 1_000), (20, 1_010)]).course();
    assert_eq!(course.base, "M0 50H600");
    assert_eq!(course.trace, "M560 94L570 50L600 6", "the hole is bridged");
    assert_eq!(course.area, "M560 94L570 50L600 6V50H560Z");
    let still = stock(&[(0, 1_000)]).course();
    assert_eq!((still.base.as_str(), still.trace.as_str()), ("M0 94H600", "M600 94"), "nothing divides by nothing");
}

#[test]
fn a_stock_says_what_it_did_in_words() {
    let stock = stock(&[(0, 990), (5, 1_031), (10, 1_012)]);
    assert_eq!((stock.price(), stock.signed(), stock.share()), (1_012, "+0.12".to_owned(), "+1.20 %".to_owned()));
    assert_eq!(stock.range(), "9.90 to 10.31");
}
