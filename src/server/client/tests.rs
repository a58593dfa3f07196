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
    let places = Places::new(1, 10, Box::new(|_| false));
    let admit = |text: &str| places.admit(Client(Some(address(text))));
    let first = admit("2001:db8::1");
    assert!(first.is_ok(), "premise: there is a place");
    assert!(admit("2001:db8::2").is_err());
    assert!(admit("2001:db8:0:1::2").is_ok(), "another network");
    drop(first);
    assert!(admit("2001:db8::2").is_ok(), "given back");
}

#[test]
fn no_address_holds_more_than_a_quarter_of_all_connections_but_proxies_and_this_machine() {
    let places = Places::new(2, 1_000, Box::new(|peer| peer == address("192.0.2.80")));
    let hold = |text: &str| (0..300).filter_map(|_| places.connect(address(text))).collect::<Vec<_>>();
    let held = hold("192.0.2.1");
    assert_eq!(held.len(), 250);
    assert_eq!(hold("::ffff:192.0.2.1").len(), 0, "the same in another spelling");
    assert_eq!((hold("192.0.2.2").len(), hold("192.0.2.80").len(), hold("127.0.0.1").len()), (250, 300, 300));
    assert!(places.admit(Client(Some(address("192.0.2.1")))).is_ok(), "sockets are counted by themselves");
    drop(held);
    assert_eq!(hold("192.0.2.1").len(), 250, "given back");
}

#[test]
fn a_small_house_leaves_each_address_a_browser_and_the_sockets_that_it_may_have() {
    let most = |sockets: usize, all: usize| {
        let places = Places::new(sockets, all, Box::new(|_| false));
        (0..500).map_while(|_| places.connect(address("192.0.2.1"))).collect::<Vec<_>>().len()
    };
    assert_eq!((most(20, 100), most(200, 100)), (70, 200));
}
