//! What `/proc` says.

use super::{Memory, cpu, holds, is_held, memory, memory_of, ticks_of};

#[test]
fn processor_time_is_read_behind_a_name_with_brackets_and_spaces() {
    let stat = "42 (a) (b c) S 1 42 42 0 -1 4194560 100 0 0 0 17 25 0 0 20 0 4 0 100 1000 10";
    assert_eq!(ticks_of(stat), Some(42));
    assert_eq!(ticks_of("42 (short) S 1"), None);
}

#[test]
fn memory_is_read_in_kib_and_missing_fields_are_told() {
    let status = "Name:\tx\nVmRSS:\t    1200 kB\nRssAnon:\t     800 kB\nRssFile:\t 400 kB\n";
    assert_eq!(memory_of(status), Some(Memory { rss: 1200, anonymous: 800 }));
    assert_eq!(memory_of("VmRSS:\t 1200 kB\n"), None);
}

#[test]
fn this_very_process_can_be_measured() {
    let pid = std::process::id();
    assert!(cpu(pid).is_ok());
    let memory = memory(pid).unwrap();
    assert!(memory.anonymous > 0 && memory.rss >= memory.anonymous);
}

#[test]
fn an_open_connection_of_the_server_is_told_from_its_other_end_and_from_closed_ones() {
    let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
                 \x20  0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000\n\
                 \x20  1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000\n\
                 \x20  2: 0100007F:D431 0100007F:0BB8 01 00000000:00000000\n\
                 \x20  3: 0100007F:0BB8 0100007F:D432 04 00000000:00000000\n";
    assert!(holds(table, 3_000, 54_321));
    assert!(!holds(table, 3_000, 54_322), "closed, and its last bytes not taken");
    assert!(!holds(table, 3_000, 54_323));
}

#[test]
fn the_kernel_tells_when_a_server_lets_go() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().port();
    let client = std::net::TcpStream::connect(("127.0.0.1", server)).unwrap();
    let own = client.local_addr().unwrap().port();
    let (held, _) = listener.accept().unwrap();
    assert!(is_held(server, own).unwrap());
    drop(held);
    assert!(!is_held(server, own).unwrap());
}
