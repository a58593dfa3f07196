//! The settings as the server uses them: typed, checked, complete.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::error::{SettingError, Source};
use super::sources::{Found, Given};
use super::table::{Fallback, Id, Kind};
use super::values::{self, Bridges, Database, IpRange, PublicUrl, Reason, RedisUrl, TokenGrant};

/// Longest name of an instance, in bytes: the longest label of a DNS name, 63, rounded up.
const INSTANCE_BYTES: usize = 64;

/// Longest prefix in Redis, in bytes; it stands in every key, so it is kept short.
const PREFIX_BYTES: usize = 32;

/// Seconds of a day.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// When `SQLite` calls a transaction committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// After the disk says it is stored: survives a power cut.
    #[default]
    Full,
    /// Earlier: survives a crash of the program; a power cut may cost the last moments.
    Normal,
}

/// Whether somebody who says too much in too short a time is slowed down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimits {
    /// Yes.
    #[default]
    On,
    /// No: for benchmarks.
    Off,
}

/// Whether a Redis on another machine is used although it asks for no password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedisWithoutPassword {
    /// No: whoever finds it reads every chat.
    #[default]
    Refuse,
    /// Yes: the host says that only the instances can reach it.
    Allow,
}

/// Whether there is a simulated stock market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stocks {
    /// Yes.
    #[default]
    On,
    /// No: its page and its stream say so.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Everything the server can be told. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// The TCP port to listen on; 0 takes any free one.
    pub port: u16,
    /// The address to listen on.
    pub listen: IpAddr,
    /// The address people type; none means open access.
    pub public_url: Option<PublicUrl>,
    /// The proxies whose `X-Forwarded-For` is believed; at most 64.
    pub trusted_proxies: Vec<IpRange>,
    /// The folder for everything that is kept; it may have to be made.
    pub data: PathBuf,
    /// The database.
    pub database: Database,
    /// When `SQLite` calls a transaction committed.
    pub synchronous: Synchronous,
    /// Connections that read from `SQLite`: 1 to 64.
    pub sqlite_readers: usize,
    /// The Redis between the instances; none means one instance with the embedded bus.
    pub redis: Option<RedisUrl>,
    /// Whether that Redis is used although it is on another machine and asks for no password.
    pub redis_without_password: RedisWithoutPassword,
    /// What all keys and channels in Redis start with: 1 to 32 characters.
    pub redis_prefix: String,
    /// Rooms and the Redis channels they are joined to, at most 16; `None` leaves it to [`Settings::bridges`].
    pub bridges: Option<Bridges>,
    /// The name of this instance, for people: 1 to 64 characters. Nothing may rely on its being unique.
    pub instance: String,
    /// The tokens of programs; at most 256, each name once.
    pub tokens: Vec<TokenGrant>,
    /// How long a session lives: 1 day to 10 years.
    pub session: Duration,
    /// How long a person without a connection still counts as present: 0 to 300 s.
    pub presence_grace: Duration,
    /// Whether there is a simulated stock market.
    pub stocks: Stocks,
    /// Stocks besides those that are always there, in capital letters: at most 54.
    pub stock_symbols: Vec<String>,
    /// What prices are rolled from.
    pub stock_seed: u64,
    /// Connections at the same time: 10 to 1,000,000.
    pub max_connections: usize,
    /// Live sockets of one address at the same time: 1 to 100,000.
    pub max_sockets_per_address: usize,
    /// How long a stopping instance lets work in hand come to its end: 1 to 300 s.
    pub shutdown: Duration,
    /// Whether budgets are enforced.
    pub rate_limits: RateLimits,
    /// Levels and `target=level` pairs, separated by commas; every such text is a filter to `tracing_subscriber`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl Settings {
    /// Where to listen.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.port)
    }

    /// Whether cookies carry `Secure`: people come over TLS.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }

    /// Whether everybody who reaches the server may come in as a guest: no public address is configured.
    #[must_use]
    pub const fn open_access(&self) -> bool {
        self.public_url.is_none()
    }

    /// Rooms and the Redis channels they are joined to. Unless told otherwise the lobby is joined to the channel of
    /// its name, but never where the door is not open: a channel asks nobody for a name.
    #[must_use]
    pub fn bridges(&self) -> Bridges {
        match &self.bridges {
            Some(bridges) => bridges.clone(),
            None if self.redis.is_some() && self.open_access() => Bridges::lobby(),
            None => Bridges::default(),
        }
    }

    /// Whether the Redis can be reached from other machines and asks for no password (SR-66).
    #[must_use]
    pub fn redis_exposed(&self) -> bool {
        self.redis.as_ref().is_some_and(RedisUrl::is_exposed)
    }

    /// Whether the Redis is exposed and the host did not say that it may be: it is not used then.
    #[must_use]
    pub fn redis_refused(&self) -> bool {
        self.redis_exposed() && self.redis_without_password == RedisWithoutPassword::Refuse
    }

    /// Reads every setting from what was found; `host` and `pid` make the default name of the instance.
    ///
    /// # Errors
    /// All settings that cannot be used, and what was wrong while they were gathered.
    pub(super) fn read(found: Found, host: Option<&str>, pid: u32) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader { found };
        let port = reader.number(Id::Port);
        let data = reader.text(Id::Data, values::path).unwrap_or_default();
        let settings = Self {
            file: reader.found.file.clone(),
            port,
            // What stands in for a refused value is dropped with the rest at the end, for there is an error then.
            listen: reader.text(Id::Listen, values::address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            public_url: reader.optional(Id::PublicUrl, PublicUrl::parse),
            trusted_proxies: reader.optional(Id::TrustedProxies, IpRange::parse_list).unwrap_or_default(),
            database: reader.optional(Id::Database, Database::parse).unwrap_or_else(|| Database::in_folder(&data)),
            data,
            synchronous: reader.choice(Id::Synchronous, &[Synchronous::Full, Synchronous::Normal]),
            sqlite_readers: reader.number(Id::SqliteReaders),
            redis: reader.optional(Id::Redis, RedisUrl::parse),
            redis_without_password: reader
                .choice(Id::RedisWithoutPassword, &[RedisWithoutPassword::Refuse, RedisWithoutPassword::Allow]),
            redis_prefix: reader
                .text(Id::RedisPrefix, |text| values::plain_name(text, PREFIX_BYTES))
                .unwrap_or_default(),
            bridges: reader.optional(Id::Bridges, Bridges::parse),
            instance: reader
                .optional(Id::Instance, |text| values::plain_name(text, INSTANCE_BYTES))
                .unwrap_or_else(|| default_instance(host, port, pid)),
            tokens: reader.optional(Id::Tokens, TokenGrant::parse_list).unwrap_or_default(),
            session: Duration::from_secs(reader.number::<u64>(Id::SessionDays) * DAY_SECONDS),
            presence_grace: Duration::from_secs(reader.number(Id::PresenceGraceSeconds)),
            stocks: reader.choice(Id::Stocks, &[Stocks::On, Stocks::Off]),
            stock_symbols: reader.optional(Id::StockSymbols, values::stock_symbols).unwrap_or_default(),
            stock_seed: reader.number(Id::StockSeed),
            max_connections: reader.number(Id::MaxConnections),
            max_sockets_per_address: reader.number(Id::MaxSocketsPerAddress),
            shutdown: Duration::from_secs(reader.number(Id::ShutdownSeconds)),
            rate_limits: reader.choice(Id::RateLimits, &[RateLimits::On, RateLimits::Off]),
            log: reader.text(Id::Log, values::log_filter).unwrap_or_default(),
            log_format: reader.choice(Id::LogFormat, &[LogFormat::Text, LogFormat::Json]),
        };
        let errors = reader.found.errors;
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// Parses what is in force, and collects what cannot be parsed.
struct Reader {
    found: Found,
}

impl Reader {
    /// A number within the table's bounds; the type must hold them all.
    fn number<T: TryFrom<u64> + Default>(&mut self, id: Id) -> T {
        let Kind::Number { min, max } = id.setting().kind else { return T::default() };
        let within = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten().filter(|number| (min..=max).contains(number));
            number.and_then(|number: u64| T::try_from(number).ok()).ok_or(None)
        };
        self.text(id, within).unwrap_or_default()
    }

    /// One of the table's words; the variants stand in the order of the words.
    fn choice<T: Copy + Default>(&mut self, id: Id, variants: &[T]) -> T {
        let Kind::Choice(words) = id.setting().kind else { return T::default() };
        let one_of = |text: &str| {
            words.iter().position(|word| *word == text).and_then(|at| variants.get(at).copied()).ok_or(None)
        };
        self.text(id, one_of).unwrap_or_default()
    }

    /// A value that may be left out; an empty text leaves it out, so that a flag can take back what a file says.
    fn optional<T>(&mut self, id: Id, parse: impl FnOnce(&str) -> Result<T, Reason>) -> Option<T> {
        let said = self.found.get(id).is_some_and(|given| !given.text.trim().is_empty());
        if said { self.text(id, parse) } else { None }
    }

    /// A value, or the table's default; none only with an error.
    fn text<T>(&mut self, id: Id, parse: impl FnOnce(&str) -> Result<T, Reason>) -> Option<T> {
        let setting = id.setting();
        let (text, source) = match (self.found.get(id), setting.default) {
            (Some(Given { text, source }), _) => (text.as_str(), source.clone()),
            (None, Fallback::Value(text)) => (text, Source::Default(setting.name)),
            (None, Fallback::Words(_)) => ("", Source::Default(setting.name)),
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(reason) => {
                let error = SettingError::value(id, source, text, reason);
                self.found.errors.push(error);
                None
            }
        }
    }
}

/// The machine's name and the port: instances on one machine have different ports. A free port is not known yet, so
/// the process's number takes its place.
fn default_instance(host: Option<&str>, port: u16, pid: u32) -> String {
    let tail = if port == 0 { format!("-p{pid}") } else { format!("-{port}") };
    let host = host.map(str::trim).filter(|host| !host.is_empty()).unwrap_or("tertulia");
    // The first label of a full name: the rest says nothing to people and may not fit.
    let label = host.split('.').find(|label| !label.is_empty()).unwrap_or("tertulia");
    let plain = label.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' });
    let head: String = plain.take(INSTANCE_BYTES - tail.len()).collect();
    head + &tail
}
