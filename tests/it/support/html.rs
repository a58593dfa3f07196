//! Reads HTML as a browser would, as far as these tests need it: elements, attributes, text, raw text.

use std::collections::BTreeMap;

/// Elements whose content is text up to their own end tag.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// One piece of a page.
#[derive(Debug)]
pub(crate) enum Token {
    Open(Element),
    Close(String),
    Text(String),
}

/// An element's start; `raw` is the content of scripts, titles and the like.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) raw: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split(' ').any(|word| word == class))
    }
}

/// A message as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) time: String,
}

/// A page.
pub(crate) struct Page {
    pub(crate) tokens: Vec<Token>,
}

impl Page {
    pub(crate) fn read(html: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = html;
        while !rest.is_empty() {
            rest = if let Some(comment) = rest.strip_prefix("<!--") {
                comment.find("-->").map_or("", |end| &comment[end + 3..])
            } else if rest.starts_with("<!") {
                rest.find('>').map_or("", |end| &rest[end + 1..])
            } else if let Some(end_tag) = rest.strip_prefix("</") {
                let end = end_tag.find('>').unwrap_or(end_tag.len());
                tokens.push(Token::Close(end_tag[..end].trim().to_lowercase()));
                end_tag.get(end + 1..).unwrap_or("")
            } else if is_tag(rest) {
                open(&rest[1..], &mut tokens)
            } else {
                let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(at, _)| at);
                tokens.push(Token::Text(decoded(&rest[..end])));
                &rest[end..]
            };
        }
        Self { tokens }
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.tokens.iter().filter_map(|token| if let Token::Open(element) = token { Some(element) } else { None })
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |element| element.name == name)
    }

    /// How many elements of each name there are.
    pub(crate) fn census(&self) -> BTreeMap<String, usize> {
        let mut census = BTreeMap::new();
        for element in self.elements() {
            *census.entry(element.name.clone()).or_default() += 1;
        }
        census
    }

    pub(crate) fn title(&self) -> String {
        let titles: Vec<_> = self.all("title").map(|title| decoded(&title.raw)).collect();
        assert_eq!(titles.len(), 1, "a page has one title: {titles:?}");
        titles.into_iter().next().unwrap_or_default()
    }

    /// The text inside the first element that `is` picks, from the token `from` on.
    pub(crate) fn text_of(&self, from: usize, is: impl Fn(&Element) -> bool) -> Option<String> {
        let picked = |token: &Token| matches!(token, Token::Open(element) if is(element));
        let start = from + self.tokens.get(from..)?.iter().position(picked)?;
        let Token::Open(element) = &self.tokens[start] else { return None };
        let (mut depth, mut text) = (1, String::new());
        for token in &self.tokens[start + 1..] {
            match token {
                Token::Open(inner) if inner.name == element.name => depth += 1,
                Token::Close(name) if *name == element.name => depth -= 1,
                Token::Text(piece) => text.push_str(piece),
                Token::Open(_) | Token::Close(_) => {}
            }
            if depth == 0 {
                break;
            }
        }
        Some(text)
    }

    /// The messages, from the oldest.
    pub(crate) fn messages(&self) -> Vec<Shown> {
        let is_message = |token: &Token| matches!(token, Token::Open(element) if element.name == "article");
        let starts = self.tokens.iter().enumerate().filter(|(_, token)| is_message(token)).map(|(at, _)| at);
        let shown = |at: usize| {
            let time = self.tokens[at..].iter().find_map(|token| match token {
                Token::Open(element) if element.name == "time" => element.get("datetime").map(str::to_owned),
                _ => None,
            });
            Shown {
                author: self.text_of(at, |element| element.has_class("author")).expect("an author"),
                text: self.text_of(at, |element| element.has_class("body")).expect("a text"),
                time: time.expect("a time"),
            }
        };
        starts.map(shown).collect()
    }

    /// Where older messages are, if there are any.
    pub(crate) fn older(&self) -> Option<String> {
        let above = self.elements().find(|element| element.has_class("above")).expect("the place above the messages");
        let link = self.elements().find(|element| element.has_class("older")).expect("the link to older messages");
        if above.get("hidden").is_some() { None } else { link.get("href").map(str::to_owned) }
    }
}

fn is_tag(text: &str) -> bool {
    text.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Reads a start tag behind its `<` and returns what follows it (and its raw text).
fn open<'a>(text: &'a str, tokens: &mut Vec<Token>) -> &'a str {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    let name = text[..end].to_ascii_lowercase();
    let mut rest = &text[end..];
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
        let end = rest.find(stop).unwrap_or(rest.len()).max(1);
        let attribute = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            if let Some(quoted) = after.strip_prefix('"') {
                let end = quoted.find('"').unwrap_or(quoted.len());
                value = &quoted[..end];
                rest = quoted.get(end + 1..).unwrap_or("");
            } else {
                let end = after.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(after.len());
                value = &after[..end];
                rest = &after[end..];
            }
        }
        attributes.insert(attribute, decoded(value));
    }
    let mut raw = "";
    if RAW.contains(&name.as_str()) {
        let end = rest.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(rest.len());
        raw = &rest[..end];
        rest = &rest[end..];
    }
    tokens.push(Token::Open(Element { name, attributes, raw: raw.to_owned() }));
    rest
}

/// Text without its character references; only those a server may write are known.
fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#x27;", "'").replace("&#39;", "'").replace("&nbsp;", "\u{a0}").replace("&amp;", "&")
}
