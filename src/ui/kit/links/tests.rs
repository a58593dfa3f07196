//! Addresses in the company they keep.

use super::*;

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn link(text: &str) -> Piece {
    Piece::Link(text.to_owned())
}

#[test]
fn a_text_without_an_address_stays_whole() {
    assert_eq!(pieces("sopar divendres?"), [text("sopar divendres?")]);
    assert_eq!(pieces(""), [text("")]);
}

#[test]
fn punctuation_around_an_address_stays_outside() {
    let cut = pieces("look (https://example.org/a_(b)), yes.");
    assert_eq!(cut, [text("look ("), link("https://example.org/a_(b)"), text("), yes.")]);
    assert_eq!(pieces("http://a.example."), [link("http://a.example"), text(".")]);
}

#[test]
fn only_http_becomes_a_link() {
    for harmless in ["javascript:alert(1)", "data:text/html,x", "https://", "http://.", "xhttps://a.example"] {
        assert_eq!(pieces(harmless), [text(harmless)], "{harmless}");
    }
}

#[test]
fn a_host_that_could_pass_for_another_is_no_link() {
    for disguised in ["http://аррӏе.com/", "https://gοοgle.com", "https://example.org\u{2044}login.evil.example"]
    {
        assert_eq!(pieces(disguised), [text(disguised)], "{disguised}");
    }
    for honest in ["https://müller.example/x", "https://ca.wikipedia.org/wiki/Cafè", "https://a.example/аррӏе"] {
        assert_eq!(pieces(honest), [link(honest)], "{honest}");
    }
}

#[test]
fn the_pieces_put_together_are_the_text() {
    for whole in ["a http://b.example c https://d.example/é, e", "https://x.example", "é https:// http://é.example…"]
    {
        let again: String = pieces(whole)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(part) | Piece::Link(part) => part,
            })
            .collect();
        assert_eq!(again, whole);
    }
}

#[test]
fn brackets_are_weighed_once_however_many_there_are() {
    for (open, close) in [('(', ')'), ('[', ']')] {
        let close_many = close.to_string().repeat(9_990);
        // Thousands of times what the longest message holds: counted anew for each bracket, this takes minutes in a debug build.
        for _ in 0..500 {
            let cut = pieces(&format!("http://a{close_many}"));
            assert_eq!(cut, [link("http://a"), text(&close_many)]);
        }
        let balanced = format!("http://a{}{}", open.to_string().repeat(3), close.to_string().repeat(5));
        let kept = format!("http://a{}{}", open.to_string().repeat(3), close.to_string().repeat(3));
        assert_eq!(pieces(&balanced), [link(&kept), text(&close.to_string().repeat(2))]);
    }
}

#[test]
fn many_addresses_are_found_in_one_walk() {
    let many = "http://a ".repeat(1_000);
    for _ in 0..500 {
        assert_eq!(pieces(&many).len(), 2_000);
    }
}
