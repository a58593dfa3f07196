//! A Rust file, line by line, with what is code told from what is text or comment, and tests from the rest.

mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

/// One line in three views of equal length in lines.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// As it is written.
    pub raw: String,
    /// Without comments.
    pub plain: String,
    /// Without comments and without what stands inside quotes.
    pub bare: String,
    /// Part of something that only tests compile.
    pub in_test: bool,
}

/// One Rust file.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root of the tree.
    pub path: String,
    /// From the first line on.
    pub lines: Vec<Line>,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// Lines of its body that are neither empty nor comment, as clippy counts.
    pub length: usize,
}

/// Reads files; what only tests compile is known across files, since a module is declared in another one.
pub fn read_all<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Source> {
    let mut sources: Vec<Source> = files.map(|(path, text)| Source::read(path, text)).collect();
    let tests: BTreeSet<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let declared = tests.iter().any(|module| {
            source.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        // The integration tests of a package: `tests/` beside its `src/`.
        if declared || source.path.starts_with("tests/") || source.path.contains("/tests/") {
            source.lines.iter_mut().for_each(|line| line.in_test = true);
        }
    }
    sources
}

impl Source {
    /// Reads one file by itself.
    #[must_use]
    pub fn read(path: &str, text: &str) -> Self {
        let (plain, bare) = scan::without_comments(text);
        let lines = text.lines().zip(plain.lines()).zip(bare.lines());
        let lines = lines
            .map(|((raw, plain), bare)| Line {
                raw: raw.to_owned(),
                plain: plain.to_owned(),
                bare: bare.to_owned(),
                in_test: false,
            })
            .collect();
        let mut source = Self { path: path.to_owned(), lines };
        source.mark_inline_tests();
        source
    }

    /// Lines outside tests, numbered from 1.
    pub fn product(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.numbered().filter(|(_, line)| !line.in_test)
    }

    /// All lines, numbered from 1.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines.iter().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The folder in which this file's modules lie.
    #[must_use]
    pub fn module_folder(&self) -> &str {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match name {
            "mod.rs" | "lib.rs" | "main.rs" => folder,
            _ => self.path.trim_end_matches(".rs"),
        }
    }

    /// The index of the line after the one where the bracket closes that opens first at or after line `from`;
    /// `None` when a `;` comes first.
    #[must_use]
    pub fn end_of_block(&self, from: usize) -> Option<(usize, usize)> {
        let mut depth = 0_usize;
        let mut beside = 0_usize;
        let mut opened = None;
        for (index, line) in self.lines.iter().enumerate().skip(from) {
            for sign in line.bare.chars() {
                match sign {
                    '{' => {
                        opened.get_or_insert(index);
                        depth += 1;
                    }
                    '}' => {
                        depth = depth.saturating_sub(1);
                        if let (0, Some(opened)) = (depth, opened) {
                            return Some((opened, index));
                        }
                    }
                    '(' | '[' => beside += 1,
                    ')' | ']' => beside = beside.saturating_sub(1),
                    ';' if opened.is_none() && beside == 0 => return None,
                    _ => {}
                }
            }
        }
        None
    }

    /// Functions that have a body.
    #[must_use]
    pub fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let Some(name) = defined(&line.bare, "fn") else { continue };
            let Some((opened, closed)) = self.end_of_block(index) else { continue };
            let inside = self.lines.get(opened + 1..closed).unwrap_or_default();
            let length = inside.iter().filter(|line| !line.plain.trim().is_empty()).count();
            functions.push(Function { name: name.to_owned(), line: index + 1, length });
        }
        functions
    }

    fn mark_inline_tests(&mut self) {
        let starts: Vec<usize> =
            (0..self.lines.len()).filter(|index| is_test_gate(&self.lines[*index].plain)).collect();
        for start in starts {
            if let Some((_, end)) = self.end_of_block(start) {
                self.lines[start..=end].iter_mut().for_each(|line| line.in_test = true);
            }
        }
    }

    /// Where the modules are that this file declares for tests only, without `.rs`.
    fn test_modules(&self) -> Vec<String> {
        let mut modules = Vec::new();
        let mut gated = false;
        for line in &self.lines {
            let code = line.plain.trim();
            if code.starts_with("#[") {
                gated |= is_test_gate(code);
                continue;
            }
            if gated && code.ends_with(';') {
                let name = defined(&line.bare, "mod");
                modules.extend(name.map(|name| format!("{}/{name}", self.module_folder())));
            }
            gated &= code.is_empty();
        }
        modules
    }
}

/// Whether an attribute keeps what follows out of the product: `cfg(test)`, or `cfg(any(test, …))`.
fn is_test_gate(plain: &str) -> bool {
    let code = plain.trim();
    code.starts_with("#[cfg(test)]") || code.starts_with("#[cfg(any(test,")
}

/// The name after a keyword such as `fn` or `mod`, if the line has one.
#[must_use]
pub fn defined<'a>(bare: &'a str, keyword: &str) -> Option<&'a str> {
    let mut words = bare.split(|sign: char| !is_word(sign)).filter(|word| !word.is_empty());
    words.find(|word| *word == keyword)?;
    let name = words.next()?;
    // `fn(` is a type, and a name must follow at once.
    let at = bare.find(&format!("{keyword} "))?;
    bare[at + keyword.len()..].trim_start().starts_with(name).then_some(name)
}

/// Whether this sign can be part of a name.
#[must_use]
pub fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}
