//! Quotes: exact to the cent, on the feed and in a room, and nobody can forge one.

use super::{Card, Quote, Trend, answers, asked, per_cent, signed, symbol, units};
use crate::Body;
use crate::codec::decode;

fn quote(price: i64, change: i64) -> Quote {
    Quote { symbol: "BRK.B".to_owned(), price, change, at: 1_763_689_200_000 }
}

#[test]
fn a_quote_reads_as_the_json_it_is_documented_as_and_comes_back_whole() {
    let said = quote(18_920, -42).to_string();
    assert_eq!(said, r#"{"symbol":"BRK.B","price":189.20,"change":-0.42,"at":1763689200000}"#);
    for (price, change) in [(1, 0), (5, 4), (100, -99), (18_920, 42), (100_000_000, 99_999_999)] {
        let quote = quote(price, change);
        assert_eq!(decode::<Quote>(&quote.to_string()), Ok(quote));
    }
}

#[test]
fn rubbish_is_no_quote() {
    let good = quote(100, 1).to_string();
    assert!(decode::<Quote>(&good).is_ok(), "premise: {good}");
    for (from, to) in
        [("BRK.B", "brk.b"), ("BRK.B", ""), ("BRK.B", "<b>"), ("1.00", "\"1.00\""), ("1.00", "1e300"), ("at", "when")]
    {
        let bad = good.replacen(from, to, 1);
        assert!(decode::<Quote>(&bad).is_err(), "{bad}");
    }
}

#[test]
fn symbols_are_letters_digits_and_dots_in_capitals() {
    assert_eq!(symbol("aapl").as_deref(), Some("AAPL"));
    assert_eq!(symbol("BRK.B").as_deref(), Some("BRK.B"));
    for bad in ["", "ABCDEFGHI", "A B", "É", "A-B", "\"", "A\n"] {
        assert_eq!(symbol(bad), None, "{bad:?}");
    }
}

#[test]
fn amounts_have_two_decimals_and_their_sign() {
    assert_eq!(units(7), "0.07");
    assert_eq!((signed(42), signed(-107), signed(0)), ("+0.42".into(), "−1.07".into(), "0.00".into()));
    assert_eq!(per_cent(42, 18_878), "+0.22 %");
    assert_eq!(per_cent(-42, 18_878), "−0.22 %");
    assert_eq!(per_cent(0, 18_878), "0.00 %");
    assert_eq!(per_cent(5, 0), "+500.00 %", "nothing divides by nothing");
}

#[test]
fn a_command_is_the_word_and_at_most_one_more() {
    assert_eq!(asked("/stocks AAPL"), Some("AAPL"));
    assert_eq!(asked("  /stocks\taapl "), Some("aapl"));
    assert_eq!(asked("/stocks"), Some(""));
    for text in ["/stocksAAPL", "/stocks are up", "/Stocks AAPL", "stocks AAPL", "/me", "/", "say /stocks AAPL"] {
        assert_eq!(asked(text), None, "{text}");
    }
}

#[test]
fn a_card_is_read_back_and_cannot_be_written_by_hand() {
    let body = quote(18_920, 42).to_card();
    assert_eq!(body, "BRK.B 189.20 ▲ +0.42 (+0.22 %) ");
    let card = Card { symbol: "BRK.B", price: "189.20", trend: Trend::Up, change: "+0.42 (+0.22 %)" };
    assert_eq!(Card::read(&body), Some(card));
    assert!(answers(&body, "/stocks brk.b") && !answers(&body, "/stocks IBM") && !answers(&body, "BRK.B"));
    let typed = Body::parse(&body).expect("it is a text like others");
    assert_eq!(Card::read(typed.as_str()), None, "the space at the end is gone: {typed:?}");
    for text in ["", " ", "hello ", "a b c d ", "a b ▲ "] {
        assert_eq!(Card::read(text), None, "{text:?}");
    }
}
