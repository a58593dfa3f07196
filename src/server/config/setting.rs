//! What a row of the table of settings says, and the forms of its name.

use super::table::Id;

/// What a setting's value looks like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number, both ends included.
    Number {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text, with what is allowed in words.
    Text(&'static str),
    /// Several texts, separated by commas (an array in the file), with what is allowed in words.
    List(&'static str),
    /// Several `name=value`, separated by commas (a table in the file), with what is allowed in words.
    Pairs(&'static str),
    /// Several records, separated by commas, their fields by colons, the parts of a field by `+`; in the file an array
    /// of tables.
    Records {
        /// What is allowed, in words.
        words: &'static str,
        /// The keys of such a table, in the order of the fields.
        fields: &'static [&'static str],
    },
}

/// What holds when nobody says anything.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// This value.
    Value(&'static str),
    /// Something found out at start, or nothing: in words.
    Words(&'static str),
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Which one.
    pub id: Id,
    /// Its name, of which the flag and the variable are made.
    pub name: &'static str,
    /// Its key in the file, `table.key`; empty where it is the name.
    pub key: &'static str,
    /// The heading it stands under in `--help`.
    pub section: &'static str,
    /// What stands for its value in `--help`.
    pub placeholder: &'static str,
    /// The unit of the value; empty where it has none.
    pub unit: &'static str,
    /// What the value looks like and what is allowed.
    pub kind: Kind,
    /// What holds when nobody says anything.
    pub default: Fallback,
    /// Whether the value may carry a password: it is then never printed.
    pub secret: bool,
    /// What it is for, one sentence without a full stop.
    pub help: &'static str,
}

/// What starts the name of every environment variable of ours.
pub const PREFIX: &str = "TERTULIA_";

/// The variable that hosting platforms set; it counts when `TERTULIA_PORT` is not set.
pub const PORT_ALIAS: &str = "PORT";

impl Setting {
    /// The flag, with its two dashes: `--public-url`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.long())
    }

    /// The flag without its dashes.
    #[must_use]
    pub fn long(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The environment variable: `TERTULIA_PUBLIC_URL`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// The key in the file; none for the one setting that says where the file is.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        (self.id != Id::Config).then_some(if self.key.is_empty() { self.name } else { self.key })
    }

    /// What is allowed, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Choice(words) => words.join(" or "),
            Kind::Text(words) | Kind::List(words) | Kind::Pairs(words) | Kind::Records { words, .. } => {
                words.to_owned()
            }
        }
    }

    /// The default, in words.
    #[must_use]
    pub const fn default_words(&self) -> &'static str {
        match self.default {
            Fallback::Value(words) | Fallback::Words(words) => words,
        }
    }
}
