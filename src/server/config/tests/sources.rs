//! Which source counts, and what the server makes of it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{World, good_value, in_the_file};
use crate::server::config::table::{Fallback, Kind, SETTINGS};
use crate::server::config::{Database, LogFormat, RateLimits, Stocks, Synchronous};

#[test]
fn with_nothing_said_the_defaults_of_the_table_hold() {
    let settings = World::default().settings();
    assert_eq!(settings.address().to_string(), "127.0.0.1:3000");
    assert_eq!(settings.database, Database::Sqlite { path: "data/tertulia.db".into() });
    assert_eq!((settings.synchronous, settings.log_format), (Synchronous::Full, LogFormat::Text));
    assert_eq!((settings.sqlite_readers, settings.max_connections, settings.max_sockets_per_address), (4, 10_000, 200));
    assert_eq!(settings.session, Duration::from_secs(90 * 86_400));
    assert_eq!((settings.shutdown.as_secs(), settings.presence_grace.as_secs()), (13, 12));
    assert_eq!((settings.redis_prefix.as_str(), settings.log.as_str()), ("tertulia", "info"));
    assert_eq!(settings.instance, "ada-3000");
    assert!(settings.redis.is_none() && settings.trusted_proxies.is_empty() && settings.file.is_none());
    assert!(settings.open_access() && !settings.secure_cookies() && !settings.redis_exposed());
}

#[test]
fn an_exposed_redis_without_a_password_is_refused_until_the_host_allows_it() {
    let exposed = World::default().env("TERTULIA_REDIS", "redis://cache");
    assert!(exposed.settings().redis_exposed() && exposed.settings().redis_refused());
    let allowed = exposed.env("TERTULIA_REDIS_WITHOUT_PASSWORD", "allow").settings();
    assert!(allowed.redis_exposed() && !allowed.redis_refused());
    for safe in ["redis://localhost", "redis://:pw@cache"] {
        assert!(!World::default().env("TERTULIA_REDIS", safe).settings().redis_refused(), "{safe}");
    }
}

#[test]
fn a_default_of_the_table_may_be_said_aloud() {
    let mut world = World::default();
    for setting in &SETTINGS {
        if let Fallback::Value(value) = setting.default {
            world = world.args(&[&setting.flag(), value]);
        }
    }
    assert_eq!(format!("{:?}", world.settings()), format!("{:?}", World::default().settings()));
}

#[test]
fn every_setting_is_taken_from_each_of_its_three_sources() {
    let default = format!("{:?}", World::default().settings());
    for setting in in_the_file() {
        let (text, toml) = good_value(setting);
        let by_flag = World::default().args(&[&setting.flag(), &text]).settings();
        let by_variable = World::default().env(&setting.variable(), &text).settings();
        let key = setting.key().expect("it is in the file");
        let mut by_file = World::default().toml(&format!("{key} = {toml}\n")).settings();
        assert_eq!(by_file.file.take(), Some("tertulia.toml".into()));
        let shown = format!("{by_flag:?}");
        assert_ne!(shown, default, "{} changed nothing", setting.name);
        assert_eq!(shown, format!("{by_variable:?}"));
        assert_eq!(shown, format!("{by_file:?}"));
    }
}

#[test]
fn a_flag_counts_before_a_variable_before_the_plain_port_before_the_file() {
    let file = World::default().toml("port = 3004\n");
    assert_eq!(file.settings().port, 3004);
    let plain = file.env("PORT", "3003");
    assert_eq!(plain.settings().port, 3003);
    let variable = plain.env("TERTULIA_PORT", "3002");
    assert_eq!(variable.settings().port, 3002);
    assert_eq!(variable.args(&["--port", "3001"]).settings().port, 3001);
}

#[test]
fn an_empty_variable_says_nothing_and_an_empty_flag_takes_back() {
    let world = World::default().toml("redis = \"redis://:pw@cache\"\n");
    assert!(world.settings().redis.is_some());
    let world = world.env("TERTULIA_REDIS", "").env("PORT", "").env("TERTULIA_MISTYPED", "");
    assert!(world.settings().redis.is_some(), "an empty variable says nothing");
    assert!(world.args(&["--redis", ""]).settings().redis.is_none());
}

#[test]
fn the_file_is_found_by_flag_by_variable_or_in_the_working_folder() {
    let world = World::default().toml("port = 1\n").file("a.toml", "port = 2\n").file("b.toml", "port = 3\n");
    assert_eq!(world.settings().port, 1);
    let world = world.env("TERTULIA_CONFIG", "a.toml");
    assert_eq!(world.settings().port, 2);
    assert_eq!(world.args(&["--config", "b.toml"]).settings().port, 3);
}

#[test]
fn numbers_are_allowed_up_to_both_ends_of_their_range() {
    for setting in &SETTINGS {
        if let Kind::Number { min, max } = setting.kind {
            for good in [min, max] {
                World::default().args(&[&setting.flag(), &good.to_string()]).settings();
                let key = setting.key().expect("every number is in the file");
                World::default().toml(&format!("{key} = {good}")).settings();
            }
        }
    }
}

#[test]
fn what_kubernetes_says_about_a_service_called_tertulia_is_no_setting() {
    let world = World::default()
        .env("TERTULIA_PORT", "tcp://10.0.0.7:80")
        .env("TERTULIA_SERVICE_HOST", "10.0.0.7")
        .env("TERTULIA_PORT_80_TCP_ADDR", "10.0.0.7")
        .env("TERTULIA_REDIS_SERVICE_PORT", "6379");
    assert_eq!(world.errors().len(), 4, "elsewhere they are mistakes");
    let world = world.env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    assert_eq!(world.settings().port, 3000);
    assert_eq!(world.env("TERTULIA_PROT", "1").errors().len(), 1);
}

#[test]
fn the_public_url_decides_about_cookies_and_access() {
    let with = |url| World::default().args(&["--public-url", url]).settings();
    let secure = with("https://chat.example.org");
    assert!(secure.secure_cookies() && !secure.open_access());
    let plain = with("http://chat.example.org");
    assert!(!plain.secure_cookies() && !plain.open_access());
}

#[test]
fn the_database_follows_the_data_folder_unless_it_is_named() {
    let world = World::default().args(&["--data", "/srv/chat"]);
    assert_eq!(world.settings().database, Database::Sqlite { path: "/srv/chat/tertulia.db".into() });
    let world = world.args(&["--database", "sqlite://./a b%20.db"]);
    assert_eq!(world.settings().database, Database::Sqlite { path: "./a b%20.db".into() });
}

#[test]
fn an_instance_without_a_name_gets_one_that_differs_per_process() {
    assert_eq!(World::default().args(&["--port", "3001"]).settings().instance, "ada-3001");
    assert_eq!(World::default().args(&["--port", "0"]).settings().instance, "ada-p42");
    assert_eq!(World::default().args(&["--listen", "[::]", "--port", "1"]).settings().address().to_string(), "[::]:1");
    assert_eq!(World::default().settings().listen, IpAddr::V4(Ipv4Addr::LOCALHOST));
}

#[test]
fn feeds_stand_in_a_table_of_theirs_and_what_is_on_or_off_may_be_true_or_false() {
    let told = |toml: &str| {
        let settings = World::default().toml(toml).settings();
        (settings.stocks, settings.stock_symbols, settings.stock_seed, settings.rate_limits)
    };
    let symbols = vec!["ACME".to_owned(), "BRK.B".to_owned()];
    let file = "rate_limits = false\n[feeds]\nstocks = false\nsymbols = [\"acme\", \"BRK.B\"]\nseed = 7\n";
    assert_eq!(told(file), (Stocks::Off, symbols, 7, RateLimits::Off));
    let file = "rate_limits = true\nfeeds = { stocks = true }\n";
    assert_eq!(told(file), (Stocks::On, Vec::new(), 1, RateLimits::On));
    assert_eq!(told("[feeds]\nstocks = \"off\"\n").0, Stocks::Off);
}

#[test]
fn the_lobby_is_joined_to_its_channel_where_access_is_open_and_else_only_what_is_named() {
    let pairs = |args: &[&str]| {
        let bridges = World::default().args(args).settings().bridges();
        bridges.pairs().iter().map(|pair| format!("{}={}", pair.room, pair.channel)).collect::<Vec<_>>()
    };
    let (redis, public) = (["--redis", "redis://h"], ["--public-url", "https://chat.example.org"]);
    assert!(pairs(&[]).is_empty(), "without a Redis there is nothing to join");
    assert_eq!(pairs(&redis), ["chat=chat"]);
    assert!(pairs(&[redis, public].concat()).is_empty());
    assert!(pairs(&[redis, ["--bridges", "none"]].concat()).is_empty());
    let named = [redis, public, ["--bridges", "Ops = alerts:1, chat=lobby"]].concat();
    assert_eq!(pairs(&named), ["ops=alerts:1", "chat=lobby"]);
    let file = "redis = \"redis://h\"\n[bridges]\n";
    assert!(World::default().toml(file).settings().bridges().pairs().is_empty(), "an empty table says none");
}
