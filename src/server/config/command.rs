//! The command line, made of the table. It only splits what was typed; values are judged with all the others, so
//! that one run names every mistake.

use clap::builder::{OsStringValueParser, StyledStr};
use clap::{Arg, ArgAction, Command as Clap};

use super::table::{Id, Kind, PORT_ALIAS, SETTINGS, Setting};

/// The name of the subcommand that runs the server.
pub(super) const SERVE: &str = "serve";

/// The name of the subcommand that a host runs after bringing a database back.
pub(super) const RESTORED: &str = "restored";

/// The settings that say which database.
const OF_THE_DATABASE: [Id; 3] = [Id::Data, Id::Database, Id::Config];

/// The name of the subcommand that prints the table.
pub(super) const TABLE: &str = "settings";

/// The name of the subcommand for tokens, and of the one beneath it that makes one.
pub(super) const TOKEN: &str = "token";
pub(super) const NEW: &str = "new";

const AFTER_HELP: &str = "\
A flag counts before its variable, a variable before the file, the file before the default. An empty variable counts
as not set; an empty flag takes back what is said elsewhere. The file is TOML: `port = 3001`.";

/// The whole command line.
#[must_use]
pub fn command() -> Clap {
    let table = Clap::new(TABLE).about("Print the table of all settings").arg(
        Arg::new("markdown")
            .long("markdown")
            .action(ArgAction::SetTrue)
            .help("As a Markdown table, which is the only form"),
    );
    let serve = Clap::new(SERVE).about("Run the server").args(SETTINGS.iter().map(flag)).after_help(AFTER_HELP);
    // All settings are read, so all are there; help names those that matter.
    let restored = SETTINGS.iter().map(|setting| flag(setting).hide(!OF_THE_DATABASE.contains(&setting.id)));
    let restored = Clap::new(RESTORED)
        .about("Say that the database was brought back from a backup, before the server is started again")
        .args(restored);
    Clap::new("tertulia")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A self-hosted group chat: one command, one file of data, and as many instances as you like.")
        .propagate_version(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([serve, restored, token(), table])
}

fn token() -> Clap {
    let text = |name: &'static str, placeholder: &'static str| {
        Arg::new(name).long(name).value_name(placeholder).allow_negative_numbers(true)
    };
    let new = Clap::new(NEW)
        .about("Make a token for a program, and the rows of the settings that let it in")
        .arg(text("name", "NAME").required(true).help("As whom the program speaks"))
        .arg(text("rooms", "ROOM+…").default_value("*").help("The rooms it opens, joined by +; * for all"))
        .arg(Arg::new("publish").long("publish").action(ArgAction::SetTrue).help("Lets it write, not only read"))
        .arg(text("rate", "N").help("Messages a second that it may publish [default: as for everybody, 20]"));
    Clap::new(TOKEN).about("Tokens for programs").subcommand_required(true).arg_required_else_help(true).subcommand(new)
}

fn flag(setting: &Setting) -> Arg {
    let list = matches!(setting.kind, Kind::List(_) | Kind::Pairs(_) | Kind::Records { .. });
    Arg::new(setting.name)
        .long(setting.long())
        .value_name(setting.placeholder)
        .value_parser(OsStringValueParser::new())
        .allow_negative_numbers(true)
        .action(if list { ArgAction::Append } else { ArgAction::Set })
        .help_heading(setting.section)
        .help(StyledStr::from(format!("{} [default: {}]", setting.help, setting.default_words())))
        .long_help(StyledStr::from(long_help(setting)))
}

fn long_help(setting: &Setting) -> String {
    let alias = if setting.id == Id::Port { format!(", then {PORT_ALIAS}") } else { String::new() };
    let unit = if setting.unit.is_empty() { String::new() } else { format!(" {}", setting.unit) };
    let key = setting.key().map(|key| format!("[file: {key}] ")).unwrap_or_default();
    format!(
        "{}.\n{key}[variable: {}{alias}]\n[default: {}{}]\n[allowed: {}{unit}]",
        setting.help,
        setting.variable(),
        setting.default_words(),
        if setting.default_words().bytes().all(|byte| byte.is_ascii_digit()) { unit.as_str() } else { "" },
        setting.allowed(),
    )
}
