//! What `/proc` says.

use super::{Memory, cpu, memory, memory_of, ticks_of};

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
