//! Whose budget an address draws on.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn every_address_of_one_ipv6_network_draws_on_one_budget_and_ipv4_addresses_on_their_own() {
    let home = household(address("2001:db8:1:2:aaaa::1"));
    assert_eq!(home, household(address("2001:db8:1:2:ffff:ffff:ffff:ffff")), "the same network of 64 bits");
    assert_ne!(home, household(address("2001:db8:1:3:aaaa::1")), "the neighbours");
    assert_ne!(household(address("192.0.2.1")), household(address("192.0.2.2")));
}

#[test]
fn sockets_of_one_ipv6_network_share_its_places() {
    let places = Places::new(1, Box::new(|_| false));
    let first = places.take(Client(Some(address("2001:db8::1"))));
    assert!(first.is_some(), "premise: there is a place");
    assert!(places.take(Client(Some(address("2001:db8::2")))).is_none());
    assert!(places.take(Client(Some(address("2001:db8:0:1::2")))).is_some(), "another network");
    drop(first);
    assert!(places.take(Client(Some(address("2001:db8::2")))).is_some(), "given back");
}
