//! Code is told from comments and quotes, tests from the product.

use super::{Function, Source, read_all};

fn bare(text: &str) -> Vec<String> {
    Source::read("a.rs", text).lines.into_iter().map(|line| line.bare.trim_end().to_owned()).collect()
}

#[test]
fn comments_and_the_insides_of_quotes_are_no_code() {
    assert_eq!(bare("a // b\nc /* d /* e */ f */ g"), ["a", "c                   g"]);
    assert_eq!(bare(r#"x("y{\"z"); w"#), [r#"x("     "); w"#]);
    assert_eq!(bare("r#\"}\"}\"#; b"), ["r      #; b"]);
    assert_eq!(bare(r"m('{', '\'', '\u{7f}') b"), ["m(' ', '  ', '      ') b"]);
    assert_eq!(bare("fn f<'a>(x: &'a str) {}"), ["fn f<'a>(x: &'a str) {}"]);
}

#[test]
fn lines_stay_where_they_are() {
    let text = "a\n/* b\nc */ d\n\"e\nf\" g\n";
    let source = Source::read("a.rs", text);
    assert_eq!(source.lines.len(), text.lines().count());
    assert!(source.lines[2].bare.contains('d') && source.lines[4].bare.contains('g'));
}

#[test]
fn functions_are_counted_as_clippy_does() {
    let source =
        Source::read("a.rs", "trait T {\n fn no(a: [u8; 2]);\n}\nfn f(\n a: u8,\n) {\n one;\n\n // two\n three;\n}");
    assert_eq!(source.functions(), [Function { name: "f".to_owned(), line: 4, length: 2 }]);
}

#[test]
fn a_test_is_known_by_its_gate_in_this_file_or_in_another() {
    let sources = read_all(
        [
            ("src/lib.rs", "#[cfg(test)]\nmod checks;\nmod real;\n#[cfg(test)]\nmod inner {\n fn x() {}\n}\nfn y() {}"),
            ("src/checks.rs", "fn z() {}"),
            ("src/checks/deep.rs", "fn z() {}"),
            ("src/real.rs", "fn z() {}"),
            ("tests/it/main.rs", "fn z() {}"),
        ]
        .into_iter(),
    );
    let product = |path: &str| {
        let source = sources.iter().find(|source| source.path == path).expect("it was read");
        source.product().filter(|(_, line)| line.bare.contains("fn")).count()
    };
    assert_eq!(product("src/lib.rs"), 1);
    assert_eq!(product("src/real.rs"), 1);
    for test in ["src/checks.rs", "src/checks/deep.rs", "tests/it/main.rs"] {
        assert_eq!(product(test), 0, "{test}");
    }
}
