//! Bodies of messages (bad-inputs.md section 3 and BI-45).

use proptest::prelude::*;

use super::check_wording;
use crate::limits::{BODY_BYTES, BODY_CHARS};
use crate::refusal::Code;
use crate::text::{Body, is_invisible};

#[track_caller]
fn check(text: &str, expected: Result<&str, Code>) {
    let parsed = Body::parse(text);
    let shown: String = text.chars().take(60).collect();
    if let Err(refusal) = &parsed {
        assert_eq!(refusal.field.as_deref(), Some("body"), "{shown:?}");
        assert_eq!(refusal.retry_after_ms, None, "{shown:?}: the same text will never do");
        check_wording(refusal);
    }
    let parsed = parsed.as_ref().map(Body::as_str).map_err(|refusal| refusal.code);
    assert_eq!(parsed, expected, "{shown:?}");
}

#[test]
fn bi_45_nothing_visible_is_empty() {
    for text in ["", " ", "\n", "\t \r\n", "\u{200B}", "\u{2060}", "\u{FEFF}", "\u{3000}", "\u{2028}\u{2029}", "\u{85}"]
    {
        check(text, Err(Code::Empty));
    }
    for text in
        ["\u{202E}\u{2066}", "\u{E0041}", "\u{FE0F}\u{200D}", "\u{3164}", "\u{2800}", "\u{7}\u{1b}", "\u{AD} \n"]
    {
        check(text, Err(Code::Empty));
    }
    check(&"\n".repeat(10_000), Err(Code::Empty));
    check(&" ".repeat(BODY_BYTES * 2), Err(Code::Empty));
}

#[test]
fn bi_45_the_limit_is_met_exactly_in_characters_and_bytes() {
    for c in ["a", "é", "€", "🍷"] {
        for n in [1, BODY_CHARS - 1, BODY_CHARS] {
            check(&c.repeat(n), Ok(&c.repeat(n)));
        }
        check(&c.repeat(BODY_CHARS + 1), Err(Code::TooLong));
    }
    assert_eq!("🍷".repeat(BODY_CHARS).len(), BODY_BYTES, "so 40,001 bytes are 10,001 characters at least");
    for text in ["a".repeat(BODY_BYTES + 1), "a".repeat(1_000_000), "\0".repeat(1_000_000)] {
        check(&text, Err(Code::TooLong));
    }
    let limit = Body::parse(&"a".repeat(BODY_CHARS + 1)).expect_err("too long").limit;
    assert_eq!(limit, Some(10_000), "the refusal names the limit");
    let lines = format!("a{}b", "\n".repeat(9_998));
    check(&lines, Ok(&lines));
}

#[test]
fn bi_45_a_plain_form_may_say_as_much_as_a_socket() {
    let lines = format!("a{}b", "\n".repeat(BODY_CHARS - 2));
    check(&lines.replace('\n', "\r\n"), Ok(&lines));
    check(&format!("{}\r\n", "a".repeat(BODY_CHARS)), Ok(&"a".repeat(BODY_CHARS)));
}

#[test]
fn bi_49_u_0000_is_refused_wherever_it_stands() {
    for text in ["\0", "a\0", "\0a", "a\u{0}7", " \0 "] {
        check(text, Err(Code::BadChar));
    }
}

#[test]
fn bi_50_control_characters_are_stripped_except_line_and_tab() {
    let every: String = (1..=0x9F_u8).map(char::from).filter(|c| c.is_control()).collect();
    assert_eq!(every.chars().count(), 64, "C0 without U+0000, DEL and C1");
    check(&format!("a{every}b"), Ok("a\t\nb"));
    for (text, clean) in [
        ("a\r\nb", "a\nb"),
        ("a\rb", "ab"),
        ("a\r\r\nb", "a\nb"),
        ("\u{1b}[2Jx", "[2Jx"),
        ("ding\u{7}", "ding"),
        ("  code\n\tmore  ", "  code\n\tmore"),
        ("\n \n  code\n\n", "  code"),
        ("\r\n\r\na", "a"),
    ] {
        check(text, Ok(clean));
    }
}

#[test]
fn bi_51_bi_53_bi_54_bi_55_bi_58_bi_59_bi_79_text_of_every_kind_is_kept_as_it_is() {
    for text in [
        "\u{FFFE} \u{1FFFF}",
        "a\u{200D}b\u{200C}c\u{200B}d\u{2060}e\u{AD}f\u{FE0F}g\u{E0061}h",
        "אבג abc https://example.org \u{202E}",
        "\u{FDFA} \u{12031} \u{1680} x\u{2028}y\u{2029}z",
        "👩🏽‍🚀 🇪🇸 1️⃣ \u{1FAE9} \u{378}",
        "<script>alert(1)</script> {{x}} ${y} <%= z %>",
    ] {
        check(text, Ok(text));
    }
    for text in [format!("a{}", "\u{301}".repeat(500)), "\u{301}".repeat(10_000), "x".repeat(2_000), "`".repeat(10_000)]
    {
        check(&text, Ok(&text));
    }
    // One family has 7 scalar values, which is how its length is counted.
    check(&"👨‍👩‍👧‍👦".repeat(1_428), Ok(&"👨‍👩‍👧‍👦".repeat(1_428)));
    check(&"👨‍👩‍👧‍👦".repeat(10_000), Err(Code::TooLong));
    check(&"👨‍👩‍👧‍👦".repeat(1_429), Err(Code::TooLong));
}

proptest! {
    #[test]
    fn a_clean_body_stays_as_it_is_and_holds_nothing_forbidden(
        text in prop::collection::vec(prop_oneof![
            any::<char>(), prop::sample::select(vec!['\r', '\n', '\t', ' ', '\u{7}', '\u{85}', '\u{200B}', 'a', '\u{2028}']),
        ], 0..60).prop_map(String::from_iter),
    ) {
        if let Ok(body) = Body::parse(&text) {
            prop_assert_eq!(Body::parse(body.as_str()), Ok(body.clone()));
            prop_assert!(body.as_str().chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
            prop_assert!(body.as_str().chars().any(|c| !c.is_whitespace() && !is_invisible(c)));
            prop_assert_eq!(body.as_str().trim_end(), body.as_str());
            prop_assert!(text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).eq(
                body.as_str().chars().filter(|c| !c.is_whitespace())), "only space and control may go");
            prop_assert_eq!(body.clone().into_string(), body.as_str());
        }
    }
}
