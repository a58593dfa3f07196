//! The walk walks as its seed says, the market remembers five minutes, and rubbish from the bus changes nothing.

use tertulia_protocol::limits::{PRICE_CENTS, SYMBOLS};

use super::{HISTORY_SECONDS, LISTED, Market, MarketOptions, Sheet, Unusable, walk};

const NOW: i64 = 1_800_000_000_000;
const NOW_SECOND: i64 = NOW / 1_000;

fn market(seed: u64) -> Market {
    Market::new(MarketOptions { seed, more: Vec::new() })
}

fn prices(market: &Market) -> Vec<i64> {
    market.latest().expect("the market is open").prices.clone()
}

#[test]
fn the_same_seed_walks_the_same_way_and_another_does_not() {
    let (a, b, other) = (market(7), market(7), market(8));
    for second in 0..50 {
        let now = NOW + second * 1_000;
        assert_eq!(a.trade(now), b.trade(now));
        other.trade(now);
        assert_ne!(prices(&a), prices(&other));
    }
}

#[test]
fn prices_move_stay_positive_and_never_run_away() {
    for (seed, open) in [(1, 1), (2, 3), (3, 18_920), (4, PRICE_CENTS)] {
        let mut price = open;
        let mut seen = std::collections::BTreeSet::new();
        for second in 0..100_000 {
            price = walk::step(seed, "X", second, open, price);
            assert!((1..=PRICE_CENTS).contains(&price), "{open} became {price} after {second} s");
            seen.insert(price);
        }
        let (low, high) = (seen.first().copied().unwrap_or(0), seen.last().copied().unwrap_or(0));
        assert!(high - open <= open / 10 + 1 && open - low <= open / 10 + 1, "{open} went from {low} to {high}");
        assert!(open < 1_000 || seen.len() > 100, "a price of {open} took {} values", seen.len());
    }
}

#[test]
fn a_market_opens_with_five_minutes_behind_it_and_goes_on_second_by_second() {
    let market = market(1);
    assert!(!market.is_open(), "premise: nobody has traded");
    market.trade(NOW);
    let watch = market.watch(0);
    let seconds: Vec<i64> = watch.past.iter().map(|tick| tick.second).collect();
    assert_eq!(seconds, (NOW_SECOND - HISTORY_SECONDS + 1..=NOW_SECOND).collect::<Vec<_>>());
    let opens: Vec<i64> = LISTED.iter().map(|(_, price)| *price).collect();
    assert_eq!(watch.past[0].prices, opens, "it opened at the listed prices");
    // A clock that stands still or runs back tells no second twice.
    for now in [NOW, NOW - 5_000, NOW + 10_000] {
        market.trade(now);
    }
    let seconds: Vec<i64> = market.watch(NOW_SECOND + 1).past.iter().map(|tick| tick.second).collect();
    assert_eq!(seconds, [NOW_SECOND + 1, NOW_SECOND + 2, NOW_SECOND + 10]);
}

#[test]
fn what_is_older_than_five_minutes_is_forgotten() {
    let market = market(1);
    for second in 0..2 * HISTORY_SECONDS {
        market.trade(NOW + second * 1_000);
        assert!(market.watch(0).past.len() as i64 <= HISTORY_SECONDS);
    }
    let newest = NOW_SECOND + 2 * HISTORY_SECONDS - 1;
    assert_eq!(market.watch(0).past[0].second, newest - HISTORY_SECONDS + 1);
}

#[test]
fn whoever_hears_shows_the_same_and_walks_on_from_there() {
    let (leader, follower) = (market(7), market(7));
    follower.hear(leader.trade(NOW), NOW).expect("an opening is sound");
    for second in 1..10 {
        let now = NOW + second * 1_000;
        follower.hear(leader.trade(now), now).expect("a second is sound");
        assert_eq!(leader.latest(), follower.latest());
    }
    // The leader dies. With its seed the walk is the one it would have gone.
    let now = NOW + 10_000;
    assert_eq!(follower.trade(now), leader.trade(now));
    // With another seed it is another walk, from the same place.
    let stranger = market(8);
    stranger.hear(follower.past().expect("a past"), now).expect("a past is sound");
    stranger.trade(now + 1_000);
    for (before, after) in prices(&follower).iter().zip(prices(&stranger)) {
        assert!((before - after).abs() <= before / 400 + 1, "{before} became {after}: no jump");
    }
    assert_ne!(prices(&stranger), prices(&follower));
}

#[test]
fn a_late_instance_learns_the_past_and_holes_are_filled() {
    let (leader, late) = (market(7), market(9));
    leader.trade(NOW);
    late.hear(leader.past().expect("a past"), NOW).expect("sound");
    assert_eq!(leader.watch(0).past, late.watch(0).past);
    // Three seconds are lost on the way, then one arrives, then the past once more.
    for second in 1..=3 {
        leader.trade(NOW + second * 1_000);
    }
    late.hear(leader.trade(NOW + 4_000), NOW).expect("sound");
    assert_ne!(leader.watch(0).past, late.watch(0).past, "premise: a hole");
    late.hear(leader.past().expect("a past"), NOW).expect("sound");
    assert_eq!(leader.watch(0).past, late.watch(0).past);
}

#[test]
fn stocks_of_ones_own_join_the_listed_ones_within_the_bound() {
    let more = (0..200).map(|n| format!("OWN{n}")).chain(["AAPL".to_owned()]).collect();
    let market = Market::new(MarketOptions { seed: 1, more });
    market.trade(NOW);
    let board = market.latest().expect("open").board.clone();
    assert_eq!(board.symbols.len(), SYMBOLS);
    assert_eq!(board.symbols[LISTED.len()], "OWN0");
    let quote = market.quote("OWN0").expect("it is traded");
    assert!((1_800..60_000).contains(&quote.price), "{quote:?}");
    assert_eq!(market.quote("NONE"), None);
    // Whoever leads decides what is traded; the past of other boards is not mixed with it.
    let plain = self::market(1);
    plain.hear(market.past().expect("a past"), NOW).expect("64 stocks are sound");
    plain.trade(NOW + 1_000);
    assert_eq!(plain.quote("OWN0"), None);
    assert!(plain.quote("AAPL").is_some());
    assert_eq!(plain.past().expect("a past").into_ticks(NOW_SECOND).expect("sound").len(), 1);
}

#[test]
fn rubbish_from_the_bus_is_refused_whole() {
    let sound = r#"{"symbols":["A","B"],"opens":[100,200],"ticks":[[1800000000,[101,199]],[1800000001,[102,198]]]}"#;
    let read = |text: &str| serde_json::from_str::<Sheet>(text).expect("premise: the shape is right");
    let market = market(1);
    for (from, to) in [
        (r#"["A","B"]"#, r#"["A","A"]"#),
        (r#"["A","B"]"#, r#"["A","b"]"#),
        (r#"["A","B"]"#, r#"["A","<script>"]"#),
        (r#"["A","B"]"#, r#"["A"]"#),
        (r#"["A","B"]"#, "[]"),
        ("[100,200]", "[100]"),
        ("[100,200]", "[0,200]"),
        ("[100,200]", "[100,100000001]"),
        ("[101,199]", "[101]"),
        ("[101,199]", "[-1,199]"),
        ("1800000001", "1800000000"),
        ("1800000001", "1800000061"),
        ("1800000000", "1"),
        (r#"[[1800000000,[101,199]],[1800000001,[102,198]]]"#, "[]"),
    ] {
        let bad = sound.replacen(from, to, 1);
        assert_ne!(bad, sound, "premise: {from} is there");
        assert_eq!(market.hear(read(&bad), NOW), Err(Unusable), "{bad}");
        assert!(!market.is_open(), "{bad}");
    }
    assert_eq!(market.hear(read(sound), NOW), Ok(()));
    assert_eq!(prices(&market), [102, 198]);
    let many = (0..=HISTORY_SECONDS).map(|n| format!("[{},[101,199]]", NOW_SECOND - n)).rev().collect::<Vec<_>>();
    let long = format!(r#"{{"symbols":["A","B"],"opens":[100,200],"ticks":[{}]}}"#, many.join(","));
    assert_eq!(market.hear(read(&long), NOW), Err(Unusable), "more than is ever remembered");
}

#[test]
fn the_longest_past_fits_into_one_piece_of_news() {
    let more = (0..SYMBOLS).map(|n| format!("OWNER{n:03}")).collect();
    let market = Market::new(MarketOptions { seed: 1, more });
    let mut sheet = serde_json::to_value(market.trade(NOW)).expect("JSON");
    for tick in sheet["ticks"].as_array_mut().expect("ticks") {
        for price in tick[1].as_array_mut().expect("prices") {
            *price = PRICE_CENTS.into();
        }
    }
    let bytes = sheet.to_string().len();
    assert!(bytes > 150_000, "premise: it is long, {bytes}");
    assert!(bytes + 1_024 < crate::bus::PAYLOAD_BYTES, "{bytes} bytes and the envelope");
}

#[tokio::test]
async fn a_watcher_is_told_each_second_once_until_it_is_too_slow_or_the_instance_goes() {
    let market = market(1);
    market.trade(NOW);
    let mut watch = market.watch(NOW_SECOND);
    assert_eq!(watch.past.len(), 1, "only what was asked for");
    market.trade(NOW + 1_000);
    assert_eq!(watch.next().await.expect("a second")[0].second, NOW_SECOND + 1);
    let mut slow = market.watch(NOW_SECOND);
    for second in 2..100 {
        market.trade(NOW + second * 1_000);
    }
    assert_eq!(slow.next().await, None, "it is let go");
    let mut last = market.watch(0);
    market.close();
    assert_eq!(last.next().await, None);
}
