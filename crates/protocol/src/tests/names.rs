//! Names of people and rooms, and slugs (bad-inputs.md section 4).

use proptest::prelude::*;

use super::check_wording;
use crate::limits::{PERSON_NAME_CHARS, ROOM_NAME_CHARS};
use crate::names::{PersonName, RoomName, legible, slug_from_url};
use crate::refusal::{Code, Refusal};

fn refused(refusal: &Refusal) -> Code {
    assert_eq!((refusal.field.as_deref(), refusal.retry_after_ms), (Some("name"), None));
    check_wording(refusal);
    refusal.code
}

/// Checks a person's name against what is kept of it.
#[track_caller]
fn person(text: &str, expected: Result<&str, Code>) {
    let parsed = PersonName::parse(text);
    assert_eq!(parsed.as_ref().map(PersonName::as_str).map_err(refused), expected, "{text:?}");
}

/// Checks a room's name against its slug.
#[track_caller]
fn room(text: &str, expected: Result<&str, Code>) {
    let parsed = RoomName::parse(text);
    assert_eq!(parsed.as_ref().map(RoomName::slug).map_err(refused), expected, "{text:?}");
}

#[test]
fn sr_23_names_meet_their_limit_exactly() {
    for c in ["a", "é", "語", "𝒜𝒜"] {
        let fits = |n: usize| c.repeat(n / c.chars().count());
        person(&fits(PERSON_NAME_CHARS), Ok(fits(PERSON_NAME_CHARS).replace('𝒜', "A").as_str()));
        person(&fits(PERSON_NAME_CHARS + 2), Err(Code::TooLong));
        room(&fits(ROOM_NAME_CHARS), Ok(fits(ROOM_NAME_CHARS).replace('𝒜', "a").as_str()));
        room(&fits(ROOM_NAME_CHARS + 2), Err(Code::TooLong));
    }
    assert_eq!(PersonName::parse(&"a".repeat(49)).expect_err("too long").limit, Some(48));
    assert_eq!(RoomName::parse(&"a".repeat(65)).expect_err("too long").limit, Some(64));
    // One ligature that becomes eighteen letters counts as eighteen.
    person(&"\u{FDFA}".repeat(3), Err(Code::TooLong));
}

#[test]
fn sr_48_names_are_normalised_and_some_are_kept_for_the_server() {
    for (text, kept) in [
        ("Ana", "Ana"),
        ("  Ana   Maria ", "Ana Maria"),
        ("Ａｎａ", "Ana"),
        ("e\u{301}", "é"),
        ("ﬁ", "fi"),
        ("Zoë 🍷", "Zoë 🍷"),
        ("O'Neill-Żółć", "O'Neill-Żółć"),
        ("नमस्ते", "नमस्ते"),
        ("admins", "admins"),
    ] {
        person(text, Ok(kept));
    }
    for text in ["admin", "Admin", "ＡＤＭＩＮ", " system ", "here", "ALL", "everyone", "Tertulia"] {
        person(text, Err(Code::NameReserved));
    }
}

#[test]
fn bi_49_bi_53_bi_63_names_hold_nothing_that_hides_turns_or_breaks() {
    for text in [
        "ad\u{200B}min",
        "nimda\u{202E}",
        "a\u{2066}b",
        "a\u{200D}b",
        "a\u{FE0F}",
        "\u{AD}",
        "\u{200B}",
        "a\u{E0041}",
        "\u{3164}",
        "a\u{7}",
        "a\tb",
        "a\nb",
        "a\r\nPUBLISH b c",
        "$-1\r\n",
        "*3\r\n",
        "\n",
        "a\u{85}b",
        "\u{1b}[2J",
        "a\u{7F}",
        "\u{FFFE}",
        "\u{378}",
        "\u{E000}",
        "\u{301}",
        "\u{301}a",
        "\u{B4}a",
        "a\u{FFF9}",
    ] {
        person(text, Err(Code::BadName));
        room(text, Err(Code::BadName));
    }
    for text in ["\0", "a\0", "a\u{0}7", "\0\u{200B}"] {
        person(text, Err(Code::BadChar));
        room(text, Err(Code::BadChar));
    }
    for text in ["", " ", "\u{3000}", "\u{2028}"] {
        person(text, Err(Code::Empty));
        room(text, Err(Code::Empty));
    }
    person(&"a".repeat(512 * 1024), Err(Code::TooLong));
    room(&"a".repeat(512 * 1024), Err(Code::TooLong));
}

#[test]
fn bi_54_a_name_stacks_few_marks() {
    let stacked = |marks: usize| format!("x{}", "\u{310}".repeat(marks));
    person(&stacked(8), Ok(&stacked(8)));
    for text in [stacked(9), stacked(30)] {
        person(&text, Err(Code::BadName));
        room(&text, Err(Code::BadName));
    }
    // Dropping what stands between two stacks makes one stack of no more than eight.
    room(&format!("{}!{}", stacked(8), "\u{310}".repeat(8)), Ok(&stacked(8)));
}

#[test]
fn bi_61_bi_62_bi_66_no_slug_is_a_path_a_pattern_or_a_delimiter() {
    for text in [".", "..", "/", "\\", "...", "//", "*", "?", "{}", "{", "}", "#", "&", ";", "%", "-", "_", "---", "🎉"]
    {
        room(text, Err(Code::BadName));
    }
    for (text, slug) in [
        ("../../etc/passwd", "etcpasswd"),
        ("%2e%2e%2f", "2e2e2f"),
        ("a/b", "ab"),
        ("a//b", "ab"),
        ("℀ room", "ac-room"),
        ("CON", "con"),
        ("chat.", "chat"),
        ("chat ", "chat"),
        ("[a-z]", "a-z"),
        ("{a}b", "ab"),
        ("Friday tertúlia", "friday-tertúlia"),
        ("-- a -- b --", "a-b"),
        ("%0d%0aSet-Cookie:x", "0d0aset-cookiex"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("İstanbul", "i\u{307}stanbul"),
        ("हिन्दी कक्ष", "हिन्दी-कक्ष"),
        ("ห้องสนทนา", "ห\u{e49}องสนทนา"),
        ("1", "1"),
        ("snake_case", "snake_case"),
    ] {
        room(text, Ok(slug));
    }
    let cut = format!("{} b", "İ".repeat(31));
    room(&cut, Ok(&format!("{}-b", "i\u{307}".repeat(31))));
    let cut = format!("{}a b", "İ".repeat(31));
    room(&cut, Ok(&format!("{}a", "i\u{307}".repeat(31))));
}

#[test]
fn names_that_differ_by_signs_alone_are_two_rooms_in_two_places() {
    let named = |text: &str| RoomName::parse(text).expect("a name");
    for (one, other) in [("C++", "c++"), ("General Chat", "general-chat"), ("Ｃafé", "café"), ("a - b", "A-B")] {
        assert!(named(one).is_called(other) && named(other).is_called(one), "{one} {other}");
    }
    for (one, other) in
        [("C++", "C#"), ("C", "C++"), ("R&D", "RD"), ("1.5", "15"), ("a/b", "ab"), ("party", "🎉 party")]
    {
        assert!(!named(one).is_called(other) && !named(other).is_called(one), "{one} {other}");
    }
    let place = |number| named("C#").placed(number).expect("a place");
    assert_eq!([1, 2, 3].map(|number| place(number).slug().to_owned()), ["c", "c-2", "c-3"]);
    let longest = "x".repeat(ROOM_NAME_CHARS);
    assert_eq!(named(&longest).placed(12).expect("a place").slug(), format!("{}-12", "x".repeat(ROOM_NAME_CHARS - 3)));
}

#[test]
fn what_is_given_back_of_a_name_is_what_can_be_seen_of_it() {
    assert_eq!(legible("a\0b\u{202e}c\u{200b}\u{fffd} d"), "abc d");
    assert_eq!(legible(&"x".repeat(500)).len(), 200);
}

#[test]
fn urls_mean_slugs_in_any_case_and_nothing_else() {
    for (url, slug) in [
        ("chat", Some("chat")),
        ("CHAT", Some("chat")),
        ("Ｃｈａｔ", Some("chat")),
        ("tertu\u{301}lia", Some("tertúlia")),
        ("", None),
        ("-", None),
        ("_", None),
        ("__", None),
        ("a--b", Some("a-b")),
        ("-a", Some("a")),
        ("a-", Some("a")),
        ("a-_", Some("a-_")),
        ("a- b", None),
        ("a b", None),
        ("a/b", None),
        ("..", None),
        ("a.", None),
        ("a\0", None),
        ("a\u{200B}", None),
        ("\u{3164}", None),
        ("\u{301}a", None),
        ("🎉", None),
    ] {
        assert_eq!(slug_from_url(url).as_deref(), slug, "{url:?}");
    }
    assert_eq!(slug_from_url(&"a".repeat(64)), Some("a".repeat(64)));
    for n in [65, 768, 769, 1_000_000] {
        assert_eq!(slug_from_url(&"a".repeat(n)), None, "{n}");
    }
    // As macOS types it.
    let (whole, apart) = ("각".repeat(64), "\u{1100}\u{1161}\u{11A8}".repeat(64));
    assert_eq!(slug_from_url(&apart), Some(whole.clone()));
    room(&apart, Ok(&whole));
}

/// Text where letters, marks, jamo, things that vanish and things that grow stand close together.
fn tricky() -> impl Strategy<Value = String> {
    let odd: Vec<char> = "aZİßΣςϓΐǅŉﬁ℀ªºµſK½²Ⅷ①㍿ﷺ가각ᄀ\u{1161}\u{11A8}\u{3131}\u{3164}ัािक़\u{958}\u{93C}\u{301}\u{307}\u{310}\u{323}\u{345}\u{B4}\u{B8}\u{F73}\u{FB1D}!/.-_ \t\u{3000}\u{2028}\u{200D}🍷ｶﾞᾳᾼ\u{1E9B}\u{1D15E}\u{2126}\u{1F71}"
        .chars()
        .collect();
    prop::collection::vec(prop_oneof![3 => prop::sample::select(odd), 1 => any::<char>()], 0..24)
        .prop_map(String::from_iter)
}

proptest! {
    #![proptest_config({ let mut config = ProptestConfig::default(); config.cases *= 8; config })]

    #[test]
    fn a_slug_is_its_own_name_its_own_slug_and_its_own_url(text in tricky()) {
        if let Ok(name) = RoomName::parse(&text) {
            let again = RoomName::parse(name.slug()).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
            prop_assert_eq!((again.name(), again.slug()), (name.slug(), name.slug()));
            prop_assert_eq!(slug_from_url(name.slug()), Some(name.slug().to_owned()));
            prop_assert_eq!(RoomName::parse(name.name()), Ok(name.clone()));
            prop_assert!(name.slug().chars().count() <= ROOM_NAME_CHARS && !name.slug().contains(['/', '.', '%', '?']));
        }
    }

    #[test]
    fn a_url_means_a_slug_that_some_room_can_have(text in tricky()) {
        if let Some(slug) = slug_from_url(&text) {
            prop_assert_eq!(RoomName::parse(&slug).ok().map(|name| name.slug().to_owned()), Some(slug));
        }
    }

    #[test]
    fn a_name_that_was_kept_is_kept_again(text in tricky()) {
        if let Ok(name) = PersonName::parse(&text) {
            prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name.clone()));
            prop_assert!((1..=PERSON_NAME_CHARS).contains(&name.as_str().chars().count()));
        }
    }
}

#[test]
fn every_letter_of_unicode_alone_gives_a_stable_slug() {
    let mut rooms = 0;
    for c in '\u{1}'..=char::MAX {
        if let Ok(name) = RoomName::parse(&format!("a{c}")) {
            assert_eq!(slug_from_url(name.slug()).as_deref(), Some(name.slug()), "{c:?}");
            rooms += 1;
        } else {
            let refusal = RoomName::parse(&format!("a{c}")).expect_err("just seen");
            assert!(matches!(refusal.code, Code::BadName), "{c:?}: {refusal:?}");
        }
    }
    assert!(rooms > 100_000, "only {rooms} characters make a name");
}
