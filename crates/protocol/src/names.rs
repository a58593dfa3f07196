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

/// The name of a person: NFKC, 1 to 48 scalar values, nothing invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Checks and normalises a name.
    ///
    /// # Errors
    /// `empty`, `too_long`, `bad_name` (control, bidi, zero-width or unassigned characters) or
    /// `name_reserved`, all naming the field `name`.
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
    /// whatever is neither letter, digit, `-` nor `_` is dropped.
    ///
    /// # Errors
    /// `empty`, `too_long` or `bad_name` (also when nothing is left for the slug), field `name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = visible_name(text, ROOM_NAME_CHARS)?;
        let words: Vec<String> = name
            .to_lowercase()
            .split(|c: char| c.is_whitespace() || c == '-')
            .map(|word| word.chars().filter(|&c| is_slug_char(c)).collect::<String>())
            .filter(|word| !word.is_empty())
            .collect();
        let slug: String = words.join("-").nfkc().take(ROOM_NAME_CHARS).collect();
        if !slug.chars().any(char::is_alphanumeric) {
            return Err(bad_name("The name needs at least one letter or digit."));
        }
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
}

/// The slug a URL means: NFKC and lower case; `None` when no room can have it.
#[must_use]
pub fn slug_from_url(text: &str) -> Option<String> {
    // Bytes first: a scalar value has at most four, so more cannot fit and need not be counted.
    if text.is_empty() || text.len() > ROOM_NAME_CHARS * 4 {
        return None;
    }
    let slug: String = text.nfkc().collect::<String>().to_lowercase().nfkc().collect();
    let fits = slug.chars().count() <= ROOM_NAME_CHARS && slug.chars().all(|c| c == '-' || is_slug_char(c));
    fits.then_some(slug)
}

fn is_slug_char(c: char) -> bool {
    // Marks belong to the letters they follow: without them Hindi and Thai would lose their vowels.
    c.is_alphanumeric() || c == '_' || c.general_category_group() == GeneralCategoryGroup::Mark && !is_invisible(c)
}

fn visible_name(text: &str, limit: usize) -> Result<String, Refusal> {
    // NFKC may lengthen eighteenfold (U+FDFA), so the raw length is bounded before any work.
    if text.len() > limit * 4 {
        return Err(too_long(limit));
    }
    let normal: String = text.nfkc().collect();
    let name = normal.split_whitespace().collect::<Vec<_>>().join(" ");
    if normal.chars().any(|c| is_forbidden(c) && !c.is_whitespace() || c == '\0') {
        return Err(bad_name("The name holds control, invisible or direction-changing characters."));
    }
    if name.is_empty() {
        return Err(Refusal::new(Code::Empty, "The name is empty.").field("name"));
    }
    if name.chars().count() > limit {
        return Err(too_long(limit));
    }
    if longest_mark_run(&name) > COMBINING_RUN {
        return Err(bad_name("The name stacks more than 8 marks on one letter."));
    }
    Ok(name)
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
        let run = if c.general_category_group() == GeneralCategoryGroup::Mark { run + 1 } else { 0 };
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
