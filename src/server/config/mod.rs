//! What the server can be told, and how: one table of settings (`table.rs`), from which come the command line, the
//! variables, the file, `--help` and the README's table. A flag counts before a variable, a variable before the
//! file, the file before the default. Every mistake is named in one go.

mod command;
mod error;
mod feeds;
mod file;
mod markdown;
mod process;
mod redact;
mod setting;
mod settings;
mod sources;
mod strays;
mod suggest;
pub mod table;
#[cfg(test)]
mod tests;
mod token;
mod values;

use std::ffi::OsString;
use std::io;
use std::path::Path;

pub use command::command;
pub use error::{EXIT_USAGE, SettingError, Source, Stop};
pub use markdown::markdown;
pub use process::sabotage;
pub use settings::{LogFormat, RateLimits, RedisWithoutPassword, Settings, Stocks, Synchronous};
pub use token::{TokenWishes, new_token};
pub use values::{Bridges, Database, IpRange, PublicUrl, RedisUrl, Scope, Secret, TokenGrant};

/// How the file of settings is read.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Everything settings are made of, handed in, so that a test can make it up.
pub struct Surroundings<'a> {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// Reads the file of settings.
    pub read_file: ReadFile<'a>,
    /// The machine's name, if it is known.
    pub host: Option<String>,
    /// The process's number.
    pub pid: u32,
}

/// What the program was asked to do.
#[derive(Debug)]
pub enum Command {
    /// Run the server.
    Serve(Box<Settings>),
    /// Give the database of these settings a new epoch.
    Restored(Box<Settings>),
    /// Print [`markdown()`].
    PrintSettingsMarkdown,
    /// Print a new token and the rows that let it in; see [`new_token()`].
    NewToken(TokenWishes),
}

/// Understands what was asked for. It touches nothing but what it is handed.
///
/// # Errors
/// Help, version, a command line that cannot be understood, or all settings that cannot be used; see [`Stop`].
pub fn parse(surroundings: &Surroundings<'_>) -> Result<Command, Stop> {
    let (args, strays) = strays::sort_out(&surroundings.args);
    let matches = command().try_get_matches_from(args).map_err(|error| said(&error, surroundings))?;
    let settings = move |matches| {
        let found = sources::Found::gather(strays, matches, &surroundings.env, surroundings.read_file);
        let settings = Settings::read(found, surroundings.host.as_deref(), surroundings.pid);
        settings.map(Box::new).map_err(Stop::Refused)
    };
    match matches.subcommand() {
        Some((command::SERVE, serve)) => settings(serve).map(Command::Serve),
        Some((command::RESTORED, restored)) => settings(restored).map(Command::Restored),
        Some((command::TOKEN, token)) => wishes(token).map(Command::NewToken),
        _ => Ok(Command::PrintSettingsMarkdown),
    }
}

fn wishes(token: &clap::ArgMatches) -> Result<TokenWishes, Stop> {
    let Some((command::NEW, new)) = token.subcommand() else {
        return Err(Stop::Refused(Vec::new()));
    };
    let text = |name: &str| new.get_one::<String>(name).cloned().unwrap_or_default();
    Ok(TokenWishes { name: text("name"), rooms: text("rooms"), publish: new.get_flag("publish"), rate: text("rate") })
}

fn said(error: &clap::Error, surroundings: &Surroundings<'_>) -> Stop {
    let args: Vec<String> = surroundings.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let code = u8::try_from(error.exit_code()).unwrap_or(EXIT_USAGE);
    Stop::Said { text: redact::said(&error.render().to_string(), &args), code }
}
