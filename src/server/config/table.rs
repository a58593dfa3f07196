//! The one table of all settings. The command line, the variables, the file's keys, `--help` and the table of the
//! README all come from here, so they cannot disagree.

use super::feeds;
pub use super::setting::{Fallback, Kind, PORT_ALIAS, PREFIX, Setting};

/// Names a row of [`SETTINGS`]; the order is the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant's sentence is the `help` of its row")]
pub enum Id {
    Port,
    Listen,
    PublicUrl,
    TrustedProxies,
    Config,
    Data,
    Database,
    Synchronous,
    SqliteReaders,
    Redis,
    RedisWithoutPassword,
    RedisPrefix,
    Bridges,
    Instance,
    Tokens,
    SessionDays,
    PresenceGraceSeconds,
    Stocks,
    StockSymbols,
    StockSeed,
    MaxConnections,
    MaxSocketsPerAddress,
    ShutdownSeconds,
    RateLimits,
    Log,
    LogFormat,
}

impl Id {
    /// The row of this setting.
    #[must_use]
    pub const fn setting(self) -> &'static Setting {
        &SETTINGS[self as usize]
    }
}

const NETWORK: &str = "Where people reach it";
const STORAGE: &str = "Where it keeps things";
const CLUSTER: &str = "Several instances";
const PEOPLE: &str = "People";
const LIMITS: &str = "Limits";
const LOGS: &str = "Logs";

/// What a row need not say: it is text, without unit or secret.
pub(super) const ROW: Setting = Setting {
    id: Id::Config,
    name: "",
    key: "",
    section: "",
    placeholder: "TEXT",
    unit: "",
    kind: Kind::Text(""),
    default: Fallback::Value(""),
    secret: false,
    help: "",
};

/// Every setting there is.
pub const SETTINGS: [Setting; 26] = [
    Setting {
        id: Id::Port,
        name: "port",
        section: NETWORK,
        placeholder: "N",
        kind: Kind::Number { min: 0, max: 65_535 },
        default: Fallback::Value("3000"),
        help: "The TCP port to listen on; 0 takes any free one; the plain variable PORT counts after TERTULIA_PORT",
        ..ROW
    },
    Setting {
        id: Id::Listen,
        name: "listen",
        section: NETWORK,
        placeholder: "ADDR",
        kind: Kind::Text("an IP address, such as 127.0.0.1, 0.0.0.0 or ::"),
        default: Fallback::Value("127.0.0.1"),
        help: "The address to listen on; 0.0.0.0 lets other machines in, :: over IPv6 as well",
        ..ROW
    },
    Setting {
        id: Id::PublicUrl,
        name: "public_url",
        section: NETWORK,
        placeholder: "URL",
        kind: Kind::Text("http://host or https://host, with a port if it is unusual, without a path"),
        default: Fallback::Words("none: everybody who reaches the server may come in"),
        help: "The address people type; with https, cookies travel encrypted only",
        ..ROW
    },
    Setting {
        id: Id::TrustedProxies,
        name: "trusted_proxies",
        section: NETWORK,
        placeholder: "NET,…",
        kind: Kind::List("up to 64 IP addresses or networks, such as 10.0.0.0/8, separated by commas"),
        default: Fallback::Words("none"),
        help: "The proxies whose word on a visitor's address (X-Forwarded-For) is believed",
        ..ROW
    },
    Setting {
        id: Id::Config,
        name: "config",
        section: STORAGE,
        placeholder: "PATH",
        kind: Kind::Text("the path of a TOML file of at most 64 KiB that can be read"),
        default: Fallback::Words("tertulia.toml in the working folder, if there is one"),
        help: "The file of settings",
        ..ROW
    },
    Setting {
        id: Id::Data,
        name: "data",
        section: STORAGE,
        placeholder: "DIR",
        kind: Kind::Text("the path of a folder"),
        default: Fallback::Value("data"),
        help: "The folder for everything that is kept; it is made if it is missing",
        ..ROW
    },
    Setting {
        id: Id::Database,
        name: "database",
        section: STORAGE,
        placeholder: "URL",
        kind: Kind::Text("sqlite://PATH, the path as it is, without options"),
        default: Fallback::Words("sqlite://{data}/tertulia.db"),
        help: "The database, the truth about every message",
        ..ROW
    },
    Setting {
        id: Id::Synchronous,
        name: "synchronous",
        section: STORAGE,
        placeholder: "WORD",
        kind: Kind::Choice(&["full", "normal"]),
        default: Fallback::Value("full"),
        help: "When a message counts as stored: full survives a power cut, normal is faster and may lose a moment",
        ..ROW
    },
    Setting {
        id: Id::SqliteReaders,
        name: "sqlite_readers",
        section: STORAGE,
        placeholder: "N",
        unit: "connections",
        kind: Kind::Number { min: 1, max: 64 },
        default: Fallback::Value("4"),
        help: "How many read from SQLite at the same time",
        ..ROW
    },
    Setting {
        id: Id::Redis,
        name: "redis",
        section: CLUSTER,
        placeholder: "URL",
        kind: Kind::Text("redis://[[user]:password@]host[:port][/db]"),
        default: Fallback::Words("none: one instance that needs no Redis"),
        secret: true,
        help: "The Redis through which instances hear each other; better not as a flag if it carries a password",
        ..ROW
    },
    Setting {
        id: Id::RedisWithoutPassword,
        name: "redis_without_password",
        section: CLUSTER,
        placeholder: "WORD",
        kind: Kind::Choice(&["refuse", "allow"]),
        default: Fallback::Value("refuse"),
        help: "Whether a Redis on another machine is used although it asks for no password",
        ..ROW
    },
    Setting {
        id: Id::RedisPrefix,
        name: "redis_prefix",
        section: CLUSTER,
        placeholder: "TEXT",
        kind: Kind::Text("1 to 32 ASCII letters, digits, '-', '_' or '.'"),
        default: Fallback::Value("tertulia"),
        help: "What all keys and channels in Redis start with; the same for all instances that belong together",
        ..ROW
    },
    Setting {
        id: Id::Bridges,
        name: "bridges",
        section: CLUSTER,
        placeholder: "ROOM=CHANNEL,…",
        kind: Kind::Pairs(
            "none, or up to 16 room=channel, the room as in its URL, the channel 1 to 128 visible ASCII characters \
             without ',' and '=', each once",
        ),
        default: Fallback::Words("chat=chat with a Redis and without a public_url, else none"),
        help: "Rooms that are joined to Redis channels: what is said in one is published in the other, both ways",
        ..ROW
    },
    Setting {
        id: Id::Instance,
        name: "instance",
        section: CLUSTER,
        placeholder: "NAME",
        kind: Kind::Text("1 to 64 ASCII letters, digits, '-', '_' or '.'"),
        default: Fallback::Words("the machine's name and the port, such as ada-3000"),
        help: "The name of this instance, as pages, logs and the other instances show it",
        ..ROW
    },
    Setting {
        id: Id::Tokens,
        name: "tokens",
        section: PEOPLE,
        placeholder: "ROW,…",
        kind: Kind::Records {
            words: "up to 256 rows name:hash:rooms[:publish[:rate]], as `tertulia token new` prints them",
            fields: &["name", "hash", "rooms", "publish", "rate"],
        },
        default: Fallback::Words("none"),
        // Somebody will put the token where its hash belongs.
        secret: true,
        help: "The tokens of programs: which rooms each opens, whether it may publish, and how many messages a second",
        ..ROW
    },
    Setting {
        id: Id::SessionDays,
        name: "session_days",
        section: PEOPLE,
        placeholder: "N",
        unit: "days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: Fallback::Value("90"),
        help: "How long a browser stays signed in",
        ..ROW
    },
    Setting {
        id: Id::PresenceGraceSeconds,
        name: "presence_grace_seconds",
        section: PEOPLE,
        placeholder: "N",
        unit: "seconds",
        kind: Kind::Number { min: 0, max: 300 },
        default: Fallback::Value("12"),
        help: "How long somebody whose connection broke still counts as present, so that a reload does not flicker",
        ..ROW
    },
    feeds::STOCKS,
    feeds::STOCK_SYMBOLS,
    feeds::STOCK_SEED,
    Setting {
        id: Id::MaxConnections,
        name: "max_connections",
        section: LIMITS,
        placeholder: "N",
        unit: "connections",
        kind: Kind::Number { min: 10, max: 1_000_000 },
        default: Fallback::Value("10000"),
        help: "How many connections the instance holds at the same time; one address holds at most a quarter of them, or 70",
        ..ROW
    },
    Setting {
        id: Id::MaxSocketsPerAddress,
        name: "max_sockets_per_address",
        section: LIMITS,
        placeholder: "N",
        unit: "sockets",
        kind: Kind::Number { min: 1, max: 100_000 },
        default: Fallback::Value("200"),
        help: "How many live sockets one visitor's address may hold at the same time",
        ..ROW
    },
    Setting {
        id: Id::ShutdownSeconds,
        name: "shutdown_seconds",
        section: LIMITS,
        placeholder: "N",
        unit: "seconds",
        kind: Kind::Number { min: 1, max: 300 },
        // Beyond it the database may take 5 s to end the write in hand: 18 s, where process managers wait for 20.
        default: Fallback::Value("13"),
        help: "How long a stopping instance lets work in hand come to its end",
        ..ROW
    },
    Setting {
        id: Id::RateLimits,
        name: "rate_limits",
        section: LIMITS,
        placeholder: "WORD",
        kind: Kind::Choice(&["on", "off"]),
        default: Fallback::Value("on"),
        help: "Whether somebody who says too much in too short a time is slowed down; off is for benchmarks",
        ..ROW
    },
    Setting {
        id: Id::Log,
        name: "log",
        section: LOGS,
        placeholder: "FILTER",
        kind: Kind::Text(
            "off, error, warn, info, debug or trace, and target=level pairs, separated by commas without spaces",
        ),
        default: Fallback::Value("info"),
        help: "How much is logged, as a filter such as info,tertulia_chat=debug",
        ..ROW
    },
    Setting {
        id: Id::LogFormat,
        name: "log_format",
        section: LOGS,
        placeholder: "WORD",
        kind: Kind::Choice(&["text", "json"]),
        default: Fallback::Value("text"),
        help: "Lines for people, or one JSON object per line for machines",
        ..ROW
    },
];

/// Every row stands where its id says, so that [`Id::setting`] cannot miss.
const _: () = {
    assert!(SETTINGS.len() == Id::LogFormat as usize + 1, "every id has a row");
    let mut at = 0;
    while at < SETTINGS.len() {
        assert!(SETTINGS[at].id as usize == at, "rows stand in the order of their ids");
        at += 1;
    }
};
