//! Why the program does not start: every refused setting with where it was said, its value and what is allowed.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use super::redact::{self, quoted};
use super::table::{Id, Setting};

/// Exit code for settings that cannot be used; the one clap uses for a bad command line.
pub const EXIT_USAGE: u8 = 2;

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line, under this flag.
    Flag(String),
    /// On the command line, under no flag.
    Stray,
    /// In the environment, under this name.
    Variable(String),
    /// In the file.
    File {
        /// Which file.
        path: PathBuf,
        /// The line, from 1, where one is to blame.
        line: Option<usize>,
        /// The key, where one is to blame.
        key: Option<String>,
    },
    /// Nowhere: the default of this setting.
    Default(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Stray => f.write_str("an argument"),
            Self::Variable(name) => write!(f, "variable {}", redact::printable(name)),
            Self::File { path, line, key } => {
                write!(f, "file {}", redact::printable(&path.to_string_lossy()))?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                key.as_ref().map_or(Ok(()), |key| write!(f, ", key {}", redact::printable(key)))
            }
            Self::Default(name) => write!(f, "default of {name}"),
        }
    }
}

/// One setting that cannot be used. Its text carries no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_of}{}: {problem}", .value.as_deref().map(|value| format!(" is {value}")).unwrap_or_default())]
pub struct SettingError {
    /// Where it was said.
    pub source_of: Source,
    /// The value in quotes, without secrets, without control characters, cut to a readable length.
    pub value: Option<String>,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl SettingError {
    /// A value that is not allowed, with a reason where the rule alone does not explain it.
    pub(super) fn value(id: Id, source_of: Source, value: &str, reason: Option<&str>) -> Self {
        let setting: &Setting = id.setting();
        let reason = reason.map(|reason| format!("{reason}; ")).unwrap_or_default();
        Self {
            source_of,
            value: Some(quoted(&redact::value(setting.secret, value))),
            problem: format!("{reason}allowed is {}", setting.allowed()),
        }
    }

    /// A name nobody knows, with the nearest one somebody does.
    pub(super) fn unknown(source_of: Source, nearest: Option<String>) -> Self {
        let hint = nearest.map_or_else(
            || "`tertulia serve --help` names them all".to_owned(),
            |nearest| format!("did you mean {nearest}?"),
        );
        Self { source_of, value: None, problem: format!("there is no such setting; {hint}") }
    }

    /// A word of the command line that belongs to no flag.
    pub(super) fn stray(word: &str) -> Self {
        let value = Some(quoted(&redact::value(false, word)));
        let problem = "it belongs to no flag; `tertulia serve --help` names them all".to_owned();
        Self { source_of: Source::Stray, value, problem }
    }

    /// Anything else, in words.
    pub(super) const fn other(source_of: Source, problem: String) -> Self {
        Self { source_of, value: None, problem }
    }
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Stop {
    /// What the command line asked to be told (help, version; code 0) or a command line that cannot be understood
    /// (code 2).
    Said {
        /// The text, without secrets.
        text: String,
        /// The exit code.
        code: u8,
    },
    /// Settings that cannot be used: all of them.
    Refused(Vec<SettingError>),
}

impl Stop {
    /// The exit code that belongs to it.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Said { code, .. } => *code,
            Self::Refused(_) => EXIT_USAGE,
        }
    }

    /// Writes the text where it belongs: what was asked for to standard output, the rest to standard error.
    ///
    /// # Errors
    /// When the stream cannot be written, for example a closed pipe.
    pub fn report(&self) -> io::Result<()> {
        if self.code() == 0 {
            write!(io::stdout(), "{self}").and_then(|()| io::stdout().flush())
        } else {
            write!(io::stderr(), "{self}")
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { text, .. } => f.write_str(text),
            Self::Refused(errors) => {
                let noun = if errors.len() == 1 { "setting" } else { "settings" };
                writeln!(f, "tertulia cannot start: {} {noun} cannot be used.", errors.len())?;
                errors.iter().try_for_each(|error| writeln!(f, "  {error}"))
            }
        }
    }
}
