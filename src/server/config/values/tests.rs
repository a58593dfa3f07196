//! The types of values by themselves: what they accept, how they print, what they decide.

use std::net::IpAddr;

use super::{IpRange, PublicUrl, RedisUrl, Secret, TokenGrant};

fn redis(text: &str) -> RedisUrl {
    RedisUrl::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason:?}"))
}

fn origin(text: &str) -> String {
    PublicUrl::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason:?}")).to_string()
}

fn range(text: &str) -> IpRange {
    *IpRange::parse_list(text).expect("a network").first().expect("one network")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_secret_prints_as_three_stars_and_is_had_only_by_asking() {
    let secret = Secret::new("open sesame".to_owned());
    assert_eq!(
        (format!("{secret}"), format!("{secret:?}"), secret.expose()),
        ("***".into(), "***".into(), "open sesame")
    );
}

#[test]
fn a_redis_url_prints_everything_but_its_login() {
    let url = redis("redis://chat:p%40ss@Cache_1:7000/2");
    assert_eq!(url.to_string(), "redis://***@cache_1:7000/2");
    assert_eq!(format!("{url:?}"), url.to_string());
    assert_eq!(url.address(), "cache_1:7000");
    assert_eq!(url.url().expose(), "redis://chat:p%40ss@Cache_1:7000/2");
    assert_eq!(redis("redis://[::1]").to_string(), "redis://[::1]:6379/0");
}

#[test]
fn a_redis_url_with_an_ambiguous_login_is_refused() {
    for text in [
        "redis://:pa/ss@h",
        "redis://:pa@ss@h",
        "redis://:pa#ss@h",
        "redis://:pa?ss@h",
        "redis://:50%@h",
        "redis://:5%f@h",
        "redis://:%zz@h",
        "redis://password@h",
        "redis://user:@h",
        "redis://:pä@h",
        "redis://:p p@h",
        "redis://:pw@",
        "redis://h:",
        "redis://h:x",
        "redis://h:65536",
        "redis://h/65536",
        "redis://h/-1",
        "redis://h/1/2",
        "redis://[::1",
        "redis://[h]",
        "redis://h?db=1",
        "unix:///run/redis.sock",
    ] {
        assert!(RedisUrl::parse(text).is_err(), "{text} was accepted");
    }
}

#[test]
fn only_a_redis_that_others_can_reach_without_a_password_is_exposed() {
    for safe in [
        "redis://localhost",
        "redis://127.8.9.1:7000",
        "redis://[::1]",
        "redis://[::ffff:127.0.0.1]",
        "redis://:pw@cache",
    ] {
        assert!(!redis(safe).is_exposed(), "{safe}");
    }
    for exposed in ["redis://cache", "redis://10.0.0.1", "redis://[2001:db8::1]", "redis://localhost.example.org"] {
        assert!(redis(exposed).is_exposed(), "{exposed}");
    }
}

#[test]
fn a_public_url_prints_as_browsers_write_the_origin() {
    assert_eq!(origin("https://Chat.Example.org/"), "https://chat.example.org");
    assert_eq!(origin("HTTPS://chat.example.org:443"), "https://chat.example.org");
    assert_eq!(origin("http://chat.example.org:443"), "http://chat.example.org:443");
    assert_eq!(origin("http://[::1]:80"), "http://[::1]");
    assert_eq!(PublicUrl::parse("https://a.org:8443").expect("an origin").authority(), "a.org:8443");
    for text in
        ["https://a.org//", "https://a.org?x", "https://a.org#x", "https://u@a.org", "https://café.org", "https://a b"]
    {
        assert!(PublicUrl::parse(text).is_err(), "{text} was accepted");
    }
}

#[test]
fn a_network_contains_what_shares_its_first_bits() {
    assert!(range("10.1.2.3/8").contains(address("10.255.0.1")));
    assert!(!range("10.0.0.0/8").contains(address("11.0.0.1")));
    assert!(range("10.0.0.1").contains(address("::ffff:10.0.0.1")), "IPv4 inside IPv6 is IPv4");
    assert!(!range("10.0.0.1").contains(address("10.0.0.2")));
    assert!(
        range("0.0.0.0/0").contains(address("203.0.113.9")) && !range("0.0.0.0/0").contains(address("2001:db8::1"))
    );
    assert!(range("::/0").contains(address("2001:db8::1")) && range("fd00::/8").contains(address("fdab::1")));
    assert!(!range("fd00::/8").contains(address("fe00::1")));
    assert_eq!(range("10.1.2.3/8").to_string(), "10.0.0.0/8");
}

#[test]
fn stocks_are_written_in_capitals_each_once_and_have_a_bound() {
    assert_eq!(super::stock_symbols("acme, Brk.b,ACME"), Ok(vec!["ACME".to_owned(), "BRK.B".to_owned()]));
    let list = |length: usize| (0..length).map(|n| format!("S{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(super::stock_symbols(&list(54)).expect("54 are allowed").len(), 54);
    assert!(super::stock_symbols(&list(55)).is_err());
}

#[test]
fn of_two_tokens_neither_stands_in_the_others_way() {
    let row = |name: &str, digit: &str| format!("{name}:{}:chat", digit.repeat(64));
    let parse = |rows: &[String]| TokenGrant::parse_list(&rows.join(","));
    assert_eq!(parse(&[row("a", "1"), row("b", "2")]).expect("two").len(), 2);
    assert_eq!(parse(&[row("a", "1"), row("a", "2")]), Err(Some("two tokens have the same name")));
    assert_eq!(parse(&[row("a", "1"), row("b", "1")]), Err(Some("two tokens have the same hash")));
}

#[test]
fn a_list_of_networks_has_a_bound() {
    let list = |length: usize| vec!["10.0.0.1"; length].join(", ");
    assert_eq!(IpRange::parse_list(&list(64)).expect("64 are allowed").len(), 64);
    assert!(IpRange::parse_list(&list(65)).is_err());
    assert_eq!(IpRange::parse_list(" "), Ok(Vec::new()));
}
