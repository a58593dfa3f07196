//! The settings as people meet them, in a made-up world.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::table::{Id, Kind, SETTINGS, Setting};
use super::{Command, Settings, Stop, Surroundings, parse};

mod readme;
mod refusals;
mod sources;
mod texts;

/// A made-up world: arguments, environment and files.
#[derive(Clone, Default)]
struct World {
    args: Vec<String>,
    env: Vec<(String, String)>,
    files: BTreeMap<PathBuf, String>,
}

impl World {
    fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    fn toml(self, text: &str) -> Self {
        self.file("tertulia.toml", text)
    }

    fn run(&self) -> Result<Command, Stop> {
        let read_file = |path: &Path| self.files.get(path).cloned().ok_or(io::ErrorKind::NotFound.into());
        parse(&Surroundings {
            args: std::iter::once("tertulia".into()).chain(self.args.iter().map(OsString::from)).collect(),
            env: self.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            read_file: &read_file,
            host: Some("ada.example.org".to_owned()),
            pid: 42,
        })
    }

    fn settings(&self) -> Settings {
        match self.clone().serve().run() {
            Ok(Command::Serve(settings)) => *settings,
            other => panic!("no settings: {}", other.map_or_else(|stop| stop.to_string(), |c| format!("{c:?}"))),
        }
    }

    /// The errors' lines, one per refused setting.
    fn errors(&self) -> Vec<String> {
        match self.clone().serve().run() {
            Err(Stop::Refused(errors)) => errors.iter().map(ToString::to_string).collect(),
            Err(stop) => panic!("the command line itself was refused: {stop}"),
            Ok(command) => panic!("nothing was refused: {command:?}"),
        }
    }

    fn serve(mut self) -> Self {
        if self.args.first().is_none_or(|first| first != "serve") {
            self.args.insert(0, "serve".to_owned());
        }
        self
    }
}

/// Values no setting of this kind may take, as texts. A new text setting must be added here to compile.
fn bad_values(setting: &Setting) -> Vec<String> {
    let texts: &[&str] = match (setting.kind, setting.id) {
        (Kind::Number { min, max }, _) => {
            let below = i128::from(min) - 1;
            return [below.to_string(), (max + 1).to_string()]
                .into_iter()
                .chain(["", "many", "1.5", "+20", " 20", "0x20", "1e3", "99999999999999999999999"].map(str::to_owned))
                .collect();
        }
        (Kind::Choice(_), _) => &["", "FULL", "full ", "yes", "0"],
        (_, Id::Config) => &["missing.toml"],
        (_, Id::Listen) => &["", "localhost", "127.0.0.1:3000", "256.0.0.1", "[::1", "eth0"],
        (_, Id::PublicUrl) => &["chat.example.org", "ftp://a.org", "https://", "https://a.org/chat", "https://a.org:0"],
        (_, Id::TrustedProxies) => &["10.0.0.0/33", "::/129", "proxy.local", "10.0.0.1,,10.0.0.2", "10.0.0.0/"],
        (_, Id::Data) => &["", " ", "da\0ta"],
        (_, Id::Database) => {
            &["chat.db", "sqlite:", "sqlite://", "sqlite://data/", "sqlite://a?mode=ro", "mysql://h/d"]
        }
        (_, Id::Redis) => &["localhost", "redis://", "rediss://h", "redis://h:0", "redis://h/x", "redis://:@h"],
        (_, Id::RedisPrefix) => &["", "a b", "a*", "{a}", "a:b", "é", "abcdefghijklmnopqrstuvwxyz-0123456"],
        (_, Id::Instance) => &["a b", "ada/1", "a\nb", "<b>", "ñ"],
        (_, Id::Tokens) => &["ci", "ci:beef:chat", TOKEN_WITHOUT_ROOMS, TOKEN_AND_MORE],
        (_, Id::Bridges) => {
            &["chat", "=a", "chat=", "chat=a b", "a=b=c", "chat=a,chat=b", "a=x,b=x", "chat=a,,b=c", "none,chat=a"]
        }
        (_, Id::StockSymbols) => &["TOOLONGNAME", "A,,B", "A B", "É", "A-B", "<b>"],
        (_, Id::Log) => &["", "infoo", "info,=", "tertulia=verbose", "info, warn", "[a{b}]=info", "a=b=info"],
        (kind, id) => panic!("{id:?} ({kind:?}) has no bad values to be tested with"),
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A row of a token that names no room, and one with a field too many.
const TOKEN_WITHOUT_ROOMS: &str = "ci:0000000000000000000000000000000000000000000000000000000000000000:";
const TOKEN_AND_MORE: &str = "ci:0000000000000000000000000000000000000000000000000000000000000000:*:read:1:2";

/// A token, and the same in the file.
fn token_row() -> String {
    format!("ci:{}:chat+news:publish:50", "0f".repeat(32))
}

fn token_table() -> String {
    let hash = "0f".repeat(32);
    format!(r#"[{{ name = "ci", hash = "{hash}", rooms = ["chat", "news"], publish = "publish", rate = 50 }}]"#)
}

/// A value that is allowed and differs from the default, with its form in the file.
fn good_value(setting: &Setting) -> (String, String) {
    let text = match (setting.kind, setting.id) {
        (Kind::Number { max, .. }, _) => return (max.to_string(), max.to_string()),
        (Kind::Choice(words), _) => words[1],
        (_, Id::Listen) => "0.0.0.0",
        (_, Id::PublicUrl) => "https://chat.example.org",
        (_, Id::TrustedProxies) => return ("10.0.0.0/8,::1".to_owned(), r#"["10.0.0.0/8", "::1"]"#.to_owned()),
        (_, Id::Data) => "elsewhere",
        (_, Id::Database) => "sqlite:///var/lib/chat.db",
        (_, Id::Redis) => "redis://:pw@cache:7000/2",
        (_, Id::RedisPrefix) => "team-a",
        (_, Id::Instance) => "blue",
        (_, Id::Tokens) => return (token_row(), token_table()),
        (_, Id::Bridges) => {
            return ("chat=lobby,ops=alerts:1".to_owned(), r#"{ chat = "lobby", ops = "alerts:1" }"#.to_owned());
        }
        (_, Id::StockSymbols) => return ("ACME,BRK.B".to_owned(), r#"["ACME", "BRK.B"]"#.to_owned()),
        (_, Id::Log) => "warn",
        (kind, id) => panic!("{id:?} ({kind:?}) has no good value to be tested with"),
    };
    (text.to_owned(), format!("{text:?}"))
}

fn in_the_file() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.key().is_some())
}
