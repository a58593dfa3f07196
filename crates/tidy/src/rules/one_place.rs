//! One place for one thing (ARCHITECTURE.md, invariants 2, 4, 5 and 7): a fault there is mended once.

use super::HERE;
use crate::source::{Line, is_word};
use crate::{Finding, Tree};

/// Something that only a few files may do.
struct Place {
    /// What is looked for, in code without comments and quotes; a name must begin where it begins.
    words: &'static [&'static str],
    /// The files, or folders with a slash at the end, that may.
    allowed: &'static [&'static str],
    what: &'static str,
    remedy: &'static str,
}

const SOCKETS: Place = Place {
    words: &["WebSocket::open", "WebSocket::new"],
    allowed: &["src/ui/connection/socket/web.rs"],
    what: "it opens a browser's WebSocket",
    remedy: "Speak through `ui::connection::Connection`",
};

const STREAMS: Place = Place {
    words: &["EventSource::new"],
    allowed: &["src/ui/kit/stream/web.rs"],
    what: "it opens a browser's EventSource",
    remedy: "Listen with `ui::kit::stream::Stream`",
};

const REQUESTS: Place = Place {
    words: &["gloo_net::http"],
    allowed: &["src/ui/kit/browser/web.rs"],
    what: "it sends a browser's request",
    remedy: "Ask with `ui::kit::browser`",
};

const CLOCK: Place = Place {
    words: &["SystemTime::now"],
    allowed: &["crates/chat/src/clock.rs"],
    what: "it reads the wall clock",
    remedy: "Ask a `Clock`, so that tests can tell the time",
};

const ENVIRONMENT: Place = Place {
    words: &["env::var", "env::args", "env::temp_dir", "env::current_dir", "env::home_dir"],
    allowed: &["src/server/config/process.rs", "build.rs"],
    what: "it reads the process's surroundings",
    remedy: "Make it a setting (src/server/config/table.rs)",
};

const REDIS: Place = Place {
    words: &["redis::"],
    // In src/server/config/values, `redis` is the module of the setting; only chat depends on the crate (`layers`).
    allowed: &["crates/chat/src/bus/redis/", "crates/chat/src/bus/conformance/", "src/server/config/"],
    what: "it speaks to Redis",
    remedy: "Go through the trait `Bus`",
};

const SQLITE: Place = Place {
    words: &["rusqlite::"],
    allowed: &["crates/chat/src/store/"],
    what: "it speaks to SQLite",
    remedy: "Go through the trait `Store`",
};

const JSON: Place = Place {
    words: &["serde_json::from_", "serde_json::to_"],
    allowed: &[
        "crates/protocol/src/codec/",
        // The column `payload`, which outlives every version of the wire.
        "crates/chat/src/store/sqlite/queries.rs",
        "crates/chat/src/store/sqlite/writes.rs",
        // The envelope between instances.
        "crates/chat/src/news.rs",
        // What foreign channels carry: not our wire.
        "crates/chat/src/bridge/words.rs",
        // What the tab kept for itself over a reload.
        "src/ui/connection/link.rs",
        // Independent readers on purpose: they must not share our faults.
        "crates/load/src/",
        "crates/visitor/src/",
        "crates/faults/src/",
    ],
    what: "it turns JSON into values or back",
    remedy: "Frames go through `tertulia_protocol::codec`",
};

const SECRETS: Place = Place {
    words: &["getrandom::"],
    allowed: &["crates/chat/src/token.rs"],
    what: "it draws randomness for a secret",
    remedy: "Mint tokens with `Token::mint`",
};

const IDENTITIES: Place = Place {
    words: &["Uuid::now_v7", "Uuid::new_v"],
    allowed: &["crates/protocol/src/ids.rs"],
    what: "it mints an identity",
    remedy: "Use `Key::mint` or `Epoch::mint`",
};

const UNBOUNDED: Place = Place {
    words: &["unbounded", "unbounded_channel"],
    allowed: &[],
    what: "a channel without a bound",
    remedy: "Give it a bound with a reason, and say what happens when it is full",
};

const RAW_HTML: Place = Place {
    words: &["inner_html", "set_inner_html", "insert_adjacent_html"],
    allowed: &[],
    what: "text becomes markup",
    remedy: "Render typed nodes",
};

/// Files that may know by which feature they are compiled.
const SEAMS: [&str; 8] = [
    "src/lib.rs",
    "src/ui/connection/socket/mod.rs",
    "src/ui/kit/browser/mod.rs",
    "src/ui/kit/stream/mod.rs",
    "src/ui/kit/title.rs",
    "crates/protocol/src/lib.rs",
    "crates/chat/src/bus/mod.rs",
    "crates/chat/src/store/mod.rs",
];

/// How SQL begins.
const SQL: [&str; 7] =
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "CREATE INDEX ", "PRAGMA "];

/// One file each opens the browser's WebSocket, opens its `EventSource`, and sends its requests.
#[must_use]
pub fn one_file_each_opens_the_ways_to_the_server(tree: &Tree) -> Vec<Finding> {
    [SOCKETS.breaches(tree), STREAMS.breaches(tree), REQUESTS.breaches(tree)].concat()
}

/// One file reads the wall clock.
#[must_use]
pub fn one_file_reads_the_clock(tree: &Tree) -> Vec<Finding> {
    CLOCK.breaches(tree)
}

/// One file reads arguments and environment.
#[must_use]
pub fn one_file_reads_the_environment(tree: &Tree) -> Vec<Finding> {
    ENVIRONMENT.breaches(tree)
}

/// Redis is spoken to under `bus/redis` alone.
#[must_use]
pub fn redis_is_spoken_to_in_one_folder(tree: &Tree) -> Vec<Finding> {
    REDIS.breaches(tree)
}

/// SQL stands under `store` alone, and so does the driver.
#[must_use]
pub fn sql_stands_in_one_folder(tree: &Tree) -> Vec<Finding> {
    let mut findings = SQLITE.breaches(tree);
    for source in tree.sources().iter().filter(|source| !source.path.starts_with(HERE)) {
        if SQLITE.allows(&source.path) {
            continue;
        }
        let quoted = source.product().filter(|(_, line)| holds_sql(line));
        findings.extend(quoted.map(|(number, _)| Finding::new(&source.path, number, "it holds SQL", SQLITE.remedy)));
    }
    findings
}

/// Whether a quote begins like a statement: what is in the plain view and blank in the bare one is quoted.
fn holds_sql(line: &Line) -> bool {
    line.plain.split('"').skip(1).any(|quote| SQL.iter().any(|word| quote.starts_with(word)))
}

/// Frames become JSON, and JSON frames, in the codec alone.
#[must_use]
pub fn one_place_reads_and_writes_json(tree: &Tree) -> Vec<Finding> {
    JSON.breaches(tree)
}

/// Secrets are drawn, and identities minted, in one file each.
#[must_use]
pub fn one_file_each_draws_secrets_and_identities(tree: &Tree) -> Vec<Finding> {
    [SECRETS.breaches(tree), IDENTITIES.breaches(tree)].concat()
}

/// No channel is unbounded, in tests neither.
#[must_use]
pub fn no_channel_is_unbounded(tree: &Tree) -> Vec<Finding> {
    UNBOUNDED.breaches(tree)
}

/// No text of anybody becomes markup.
#[must_use]
pub fn no_text_becomes_markup(tree: &Tree) -> Vec<Finding> {
    RAW_HTML.breaches(tree)
}

/// `cfg(feature)` stands at the named seams only.
#[must_use]
pub fn features_show_at_the_seams_only(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources().iter().filter(|source| !source.path.starts_with(HERE)) {
        if SEAMS.iter().any(|seam| is_at(&source.path, seam)) {
            continue;
        }
        let gates = source.product().filter(|(_, line)| {
            (line.bare.contains("cfg(") || line.bare.contains("cfg!(") || line.bare.contains("cfg_attr("))
                && line.bare.contains("feature =")
        });
        findings.extend(gates.map(|(number, _)| {
            let remedy = "Gate a whole file at a seam (`SEAMS` in crates/tidy/src/rules/one_place.rs)";
            Finding::new(&source.path, number, "a feature is asked for outside the seams", remedy)
        }));
    }
    findings
}

impl Place {
    fn allows(&self, path: &str) -> bool {
        self.allowed.iter().any(|place| is_at(path, place))
    }

    fn breaches(&self, tree: &Tree) -> Vec<Finding> {
        let mut findings = Vec::new();
        for source in tree.sources().iter().filter(|source| !source.path.starts_with(HERE)) {
            if self.allows(&source.path) {
                continue;
            }
            let found = source.product().filter(|(_, line)| self.words.iter().any(|word| names(&line.bare, word)));
            findings.extend(found.map(|(number, _)| Finding::new(&source.path, number, self.what, self.remedy)));
        }
        findings
    }
}

/// Whether a file is the place, or lies in it. A module may become a folder without becoming another place.
fn is_at(path: &str, place: &str) -> bool {
    let grown = || path.strip_suffix("/mod.rs") == place.strip_suffix(".rs") && path.ends_with("/mod.rs");
    path == place || place.ends_with('/') && path.starts_with(place) || grown()
}

/// Whether the words stand there as themselves: not as the end of a longer name, nor inside another path
/// (`bus::redis::` is our module, `redis::` the crate) unless the words are a path already.
fn names(bare: &str, words: &str) -> bool {
    let own_path = words.ends_with("::");
    bare.match_indices(words).any(|(at, _)| {
        let before = bare[..at].chars().next_back().unwrap_or(' ');
        !(is_word(before) || own_path && before == ':')
    })
}
