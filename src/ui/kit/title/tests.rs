//! What a room may be called, and what must not come of it.

use super::*;

#[test]
fn a_name_cannot_leave_the_title() {
    assert_eq!(escaped("</title><script>&"), "&lt;/title&gt;&lt;script&gt;&amp;");
}

#[test]
fn a_text_cannot_leave_its_attribute() {
    assert_eq!(escaped("\"onmouseover='x'\0é"), "&quot;onmouseover=&#39;x&#39;\u{FFFD}é");
}
