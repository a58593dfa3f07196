//! Names of people and rooms, and the slugs that rooms have in URLs. Server only: needs Unicode tables.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::limits::{PERSON_NAME_CHARS, ROOM_NAME_CHARS};
use crate::refusal::{Code, Refusal};
use crate::text::is_invisible;

/// Names that would let somebody pass for the server or for everybody.
const RESERVED: [&str; 6] = ["admin", "all", "everyone", "here", "system", "tertulia"];

/// Most combining marks that may follow one base character in a name; more reach into other lines.
const COMBINING_RUN: usize = 8;

/// Most bytes of one scalar value before NFKC: three of four bytes each, into which the longest decomposed letters fit
/// (a syllable of Hangul, as macOS writes it: three of three bytes).
const RAW_BYTES: usize = 12;

/// Rounds in which a slug must settle. One or two do for any name seen; a name that needs more is refused.
const SLUG_ROUNDS: usize = 8;

/// The name of a person: NFKC, 1 to 48 scalar values, nothing invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Checks and normalises a name.
    ///
    /// # Errors
    /// `empty`, `too_long`, `bad_char` (U+0000), `bad_name` (control, bidi, zero-width or unassigned
    /// characters, too many marks) or `name_reserved`, all naming the field `name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = visible_name(text, PERSON_NAME_CHARS)?;
        if RESERVED.contains(&name.to_lowercase().as_str()) {
            return Err(
                Refusal::new(Code::NameReserved, "This name is kept for the server. Choose another.").field("name")
            );
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a room with its place in URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName {
    name: String,
    slug: String,
}

impl RoomName {
    /// Checks and normalises a name, and derives the slug: lower case, spaces become `-`,
    /// whatever is neither letter, digit, `-` nor `_` is dropped. A slug is a name that has itself as its slug.
    ///
    /// # Errors
    /// `empty`, `too_long`, `bad_char` or `bad_name` (also when nothing is left for the slug), field `name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = visible_name(text, ROOM_NAME_CHARS)?;
        let slug = slug_of(&name).ok_or_else(|| bad_name("The name needs at least one letter or digit."))?;
        Ok(Self { name, slug })
    }

    /// The name as people wrote it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place in URLs.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Whether a room of that name is meant. Case, width and what stands between words do not tell names apart; signs that
    /// no slug keeps do: `C++` and `C#` are two rooms.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        heard(&self.name) == heard(name)
    }

    /// The same name in the `number`th place for its slug: `c`, `c-2`, `c-3`. `None` when that is no slug.
    #[must_use]
    pub fn placed(&self, number: u32) -> Option<Self> {
        if number < 2 {
            return Some(self.clone());
        }
        let end = format!("-{number}");
        let base: String = self.slug.chars().take(ROOM_NAME_CHARS - end.len()).collect();
        let slug = slug_of(&format!("{base}{end}"))?;
        Some(Self { name: self.name.clone(), slug })
    }
}

fn heard(name: &str) -> String {
    let folded = folded(name);
    let words = folded.split(|c: char| c.is_whitespace() || c == '-').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// The slug a URL means: NFKC and lower case, without a `-` at an end or beside another; `None` when no room can have it.
#[must_use]
pub fn slug_from_url(text: &str) -> Option<String> {
    // Bytes first: more cannot fit and need not be counted.
    if text.len() > ROOM_NAME_CHARS * RAW_BYTES {
        return None;
    }
    let folded = folded(text);
    let words: Vec<&str> = folded.split('-').filter(|word| !word.is_empty()).collect();
    let slug = words.join("-");
    is_slug(&slug).then_some(slug)
}

/// Folds and tidies until nothing changes any more: dropping a character may bring two together that compose.
fn slug_of(name: &str) -> Option<String> {
    let mut slug = name.to_owned();
    for _ in 0..SLUG_ROUNDS {
        let next = tidied(&folded(&slug));
        if next == slug {
            return is_slug(&slug).then_some(slug);
        }
        slug = next;
    }
    None
}

fn is_slug(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
        && folded(text) == text
        && tidied(text) == text
        && visible_name(text, ROOM_NAME_CHARS).is_ok_and(|name| name == text)
}

/// NFKC and lower case, in the order that Unicode gives for identifiers.
fn folded(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// The words of a text joined by `-`, each of letters, digits, `_` and the marks that follow them, cut to fit.
fn tidied(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c == '-') {
        let mut kept = kept_of_word(word).peekable();
        if !slug.is_empty() && kept.peek().is_some() {
            slug.push('-');
        }
        slug.extend(kept);
    }
    let cut = slug.char_indices().nth(ROOM_NAME_CHARS).map_or(slug.len(), |(at, _)| at);
    slug[..cut].trim_end_matches('-').to_owned()
}

fn kept_of_word(word: &str) -> impl Iterator<Item = char> {
    // How many marks may still follow: none where their letter was dropped, or they would adorn its neighbour.
    let mut marks = 0;
    word.chars().filter(move |&c| {
        if is_mark(c) {
            let kept = marks > 0 && !is_invisible(c);
            marks = if kept { marks - 1 } else { marks };
            kept
        } else {
            let kept = (c.is_alphanumeric() || c == '_') && !is_invisible(c);
            marks = if kept { COMBINING_RUN } else { 0 };
            kept
        }
    })
}

// Marks belong to the letters they follow: without them Hindi and Thai would lose their vowels.
fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

fn visible_name(text: &str, limit: usize) -> Result<String, Refusal> {
    // NFKC may lengthen eighteenfold (U+FDFA), so the raw length is bounded before any work.
    if text.len() > limit * RAW_BYTES {
        return Err(too_long(limit));
    }
    if text.contains('\0') {
        return Err(Refusal::new(Code::BadChar, "The name holds U+0000, which cannot be stored.").field("name"));
    }
    let normal: String = text.nfkc().collect();
    if normal.chars().any(is_forbidden) {
        return Err(bad_name("The name holds control, invisible or direction-changing characters."));
    }
    // Stands for bytes that were no text: whoever typed them meant something else.
    if normal.contains(char::REPLACEMENT_CHARACTER) {
        return Err(bad_name("The name is not UTF-8, or holds U+FFFD."));
    }
    let name = normal.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Refusal::new(Code::Empty, "The name is empty.").field("name"));
    }
    if name.chars().count() > limit {
        return Err(too_long(limit));
    }
    if name.starts_with(is_mark) {
        return Err(bad_name("The name starts with a mark that belongs on a letter."));
    }
    if longest_mark_run(&name) > COMBINING_RUN {
        return Err(bad_name("The name stacks more than 8 marks on one letter."));
    }
    Ok(name)
}

/// What is given back of a name that was refused, to be mended: all of it that can be seen, 200 characters at most (three
/// times the longest name).
#[must_use]
pub fn legible(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().filter(|c| !is_forbidden(*c) && *c != char::REPLACEMENT_CHARACTER).take(MOST).collect()
}

fn is_forbidden(c: char) -> bool {
    is_invisible(c)
        || matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::Unassigned
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
        )
}

fn longest_mark_run(name: &str) -> usize {
    let (longest, _) = name.chars().fold((0, 0), |(longest, run), c| {
        let run = if is_mark(c) { run + 1 } else { 0 };
        (longest.max(run), run)
    });
    longest
}

fn too_long(limit: usize) -> Refusal {
    Refusal::new(Code::TooLong, format!("The name is too long: at most {limit} characters."))
        .field("name")
        .limit(limit as u64)
}

fn bad_name(message: &'static str) -> Refusal {
    Refusal::new(Code::BadName, message).field("name")
}
