//! Rules about what only one place may do.

use super::{found, tells};
use crate::rules::{Rule, one_place};

/// The words are found anywhere but in the place where they belong.
fn belongs(rule: Rule, place: &str, code: &str) {
    assert_eq!(found(rule, &[("src/elsewhere.rs", code)]), ["src/elsewhere.rs:1"], "{code}");
    assert_eq!(found(rule, &[("crates/chat/src/elsewhere.rs", code)]), ["crates/chat/src/elsewhere.rs:1"], "{code}");
    assert_eq!(found(rule, &[(place, code)]), Vec::<String>::new(), "{code}");
    let comment = format!("// {code}");
    assert_eq!(found(rule, &[("src/elsewhere.rs", &comment)]), Vec::<String>::new(), "{comment}");
}

#[test]
fn a_second_place_is_found() {
    let ways = one_place::one_file_each_opens_the_ways_to_the_server;
    let open = "let socket = WebSocket::open_with_protocol(&address(), SUBPROTOCOL);";
    belongs(ways, "src/ui/connection/socket/web.rs", open);
    belongs(ways, "src/ui/kit/stream/web.rs", "let source = EventSource::new(path).ok()?;");
    belongs(ways, "src/ui/kit/browser/web.rs", "gloo_net::http::Request::get(path)");
    belongs(one_place::one_file_reads_the_clock, "crates/chat/src/clock.rs", "let now = SystemTime::now();");
    belongs(one_place::one_file_reads_the_environment, "src/server/config/process.rs", "std::env::var(name)");
    belongs(one_place::one_file_reads_the_environment, "build.rs", "env::var_os(name)");
    belongs(one_place::redis_is_spoken_to_in_one_folder, "crates/chat/src/bus/redis/a.rs", "use redis::Msg;");
    belongs(one_place::sql_stands_in_one_folder, "crates/chat/src/store/sqlite/a.rs", "use rusqlite::Connection;");
    belongs(one_place::sql_stands_in_one_folder, "crates/chat/src/store/a.rs", "const A: &str = \"SELECT 1\";");
    belongs(one_place::one_place_reads_and_writes_json, "crates/protocol/src/codec/a.rs", "serde_json::from_str(text)");
    belongs(
        one_place::one_file_each_draws_secrets_and_identities,
        "crates/chat/src/token.rs",
        "getrandom::fill(&mut a)",
    );
    belongs(one_place::one_file_each_draws_secrets_and_identities, "crates/protocol/src/ids.rs", "Uuid::now_v7()");
}

#[test]
fn a_module_of_the_name_is_not_the_crate() {
    let rule = one_place::redis_is_spoken_to_in_one_folder;
    tells(rule, "src/a.rs", 1, "use redis::Client;", "use tertulia_chat::bus::redis::RedisBus;");
    tells(one_place::sql_stands_in_one_folder, "src/a.rs", 1, "f(\"PRAGMA x\")", "f(\"we UPDATE nothing\")");
}

#[test]
fn what_is_nowhere_is_found_everywhere() {
    tells(one_place::no_channel_is_unbounded, "src/a.rs", 1, "mpsc::unbounded_channel()", "mpsc::channel(8)");
    tells(
        one_place::no_text_becomes_markup,
        "src/a.rs",
        1,
        "view! { <p inner_html=text /> }",
        "view! { <p>{text}</p> }",
    );
}

#[test]
fn a_feature_outside_the_seams_is_found() {
    let gate = "#[cfg(feature = \"ssr\")]\nmod a;";
    tells(one_place::features_show_at_the_seams_only, "src/ui/a.rs", 1, gate, "#[cfg(test)]\nmod a;");
    for seam in ["src/lib.rs", "src/ui/kit/title.rs", "src/ui/kit/title/mod.rs"] {
        assert_eq!(found(one_place::features_show_at_the_seams_only, &[(seam, gate)]), Vec::<String>::new(), "{seam}");
    }
}
