//! What is folded.

use super::*;

#[test]
fn what_fills_more_than_a_screen_is_folded_and_nothing_else() {
    assert!(!is_long("a line"));
    assert!(!is_long(&"line\n".repeat(LINES - 1)));
    assert!(is_long(&format!("a{}b", "\n".repeat(9_998))), "BI-45: ten thousand line ends");
    assert!(!is_long(&"é".repeat(CHARS)), "characters count, not bytes");
    assert!(is_long(&"é".repeat(CHARS + 1)));
}
