//! What is refused, in which words, and what no word may show.

use std::ffi::OsString;
use std::io;

use super::{World, bad_values, in_the_file};
use crate::server::config::table::{Id, Kind, SETTINGS};
use crate::server::config::{Surroundings, parse, redact};

/// A password that must never be seen.
const CANARY: &str = "s3kr1t-canary";

#[test]
fn every_bad_value_is_refused_naming_its_source_the_value_and_what_is_allowed() {
    for setting in &SETTINGS {
        for bad in bad_values(setting) {
            let by_flag = World::default().args(&[&format!("{}={bad}", setting.flag())]);
            let mut cases = vec![(setting.flag(), by_flag.errors())];
            if !bad.is_empty() {
                cases.push((setting.variable(), World::default().env(&setting.variable(), &bad).errors()));
            }
            for (name, errors) in cases {
                let [error] = &errors[..] else { panic!("{name} = {bad:?}: {errors:?}") };
                assert!(error.contains(&name), "{error}");
                assert!(error.contains(&format!("allowed is {}", setting.allowed())), "{error}");
                let shown = redact::quoted(&redact::value(setting.secret, &bad));
                assert!(error.contains(&shown), "{bad:?} is not in: {error}");
            }
        }
    }
}

#[test]
fn a_wrong_type_in_the_file_is_refused_naming_line_and_key() {
    for setting in in_the_file() {
        let wrong: &[&str] = match setting.kind {
            Kind::Number { .. } => &["\"20\"", "1.5", "true", "[20]", "{}", "1979-05-27", "-1", "99999999999999999999"],
            Kind::Choice(["on", "off"]) => &["20", "1.5", "[\"on\"]", "{}", "1979-05-27"],
            Kind::Choice(_) | Kind::Text(_) => &["20", "1.5", "true", "[\"full\"]", "{}", "1979-05-27"],
            Kind::Pairs(_) => &["\"chat=chat\"", "20", "[\"chat\"]", "{ chat = 1 }", "{ chat = {} }"],
            Kind::List(_) => &["\"10.0.0.1\"", "20", "[20]", "[[\"10.0.0.1\"]]", "{}"],
            Kind::Records { .. } => {
                &["20", "\"a:b\"", "{}", "[\"a:b\"]", "[{ name = \"a,b\" }]", "[{ nome = \"a\" }]", "[{ rooms = [1] }]"]
            }
        };
        let key = setting.key().expect("it is in the file");
        for value in wrong {
            let errors = World::default().toml(&format!("# mine\n\n{key} = {value}\n")).errors();
            let [error] = &errors[..] else { panic!("{key} = {value}: {errors:?}") };
            assert!(error.starts_with(&format!("file tertulia.toml, line 3, key {key} is ")), "{error}");
            assert!(error.contains(&setting.allowed()), "{error}");
        }
    }
}

#[test]
fn all_mistakes_of_all_sources_are_named_at_once() {
    let world = World::default()
        .args(&["--port", "70000", "--log-format", "xml"])
        .env("TERTULIA_SESSION_DAYS", "0")
        .env("TERTULIA_PROT", "1")
        .toml("shutdown_seconds = 0\nsqlite_raeders = 3\nlog = 7\n");
    let errors = world.errors();
    assert_eq!(errors.len(), 7, "{errors:#?}");
    let stop = world.serve().run().expect_err("seven mistakes");
    assert_eq!(stop.code(), 2);
    let said = stop.to_string();
    assert!(said.starts_with("tertulia cannot start: 7 settings cannot be used.\n"), "{said}");
    assert_eq!(said.lines().count(), 8, "{said}");
}

#[test]
fn a_name_nobody_knows_is_refused_with_the_nearest_one() {
    let errors = World::default().env("TERTULIA_SESION_DAYS", "1").env("TERTULIA_QQQQ", "1").errors();
    assert_eq!(
        errors[0],
        "variable TERTULIA_SESION_DAYS: there is no such setting; did you mean TERTULIA_SESSION_DAYS?"
    );
    assert!(errors[1].ends_with("`tertulia serve --help` names them all"), "{}", errors[1]);
    let errors = World::default().toml("port = 1\n[Public-Url]\n").errors();
    assert_eq!(
        errors,
        ["file tertulia.toml, line 2, key Public-Url: there is no such setting; did you mean public_url?"]
    );
    assert!(World::default().toml("config = \"b.toml\"").errors()[0].contains("no such setting"));
    let errors = World::default().toml("[feeds]\nstocks = true\nsymbol = []\n").errors();
    assert_eq!(
        errors,
        ["file tertulia.toml, line 3, key feeds.symbol: there is no such setting; did you mean feeds.symbols?"]
    );
    let errors = World::default().toml("feeds = false\n").errors();
    assert_eq!(errors, ["file tertulia.toml, line 1, key feeds: in the file it is a table"]);
    let stop = World::default().args(&["serve", "--prot", "1"]).run().expect_err("no such flag");
    assert_eq!(stop.code(), 2);
    assert!(stop.to_string().contains("--port"), "{stop}");
}

#[test]
fn what_belongs_to_no_flag_is_named_together_with_the_values_that_are_refused() {
    let typed = ["serve", "--prot", "1", "3001", "--port", "abc", "-x=7", "--listen", "nowhere"];
    let errors = World::default().args(&typed).errors();
    assert_eq!(
        errors,
        [
            "flag --prot: there is no such setting; did you mean --port?",
            "an argument is \"3001\": it belongs to no flag; `tertulia serve --help` names them all",
            "flag -x: there is no such setting; `tertulia serve --help` names them all",
            "flag --port is \"abc\": allowed is a whole number from 0 to 65535",
            "flag --listen is \"nowhere\": allowed is an IP address, such as 127.0.0.1, 0.0.0.0 or ::",
        ]
    );
}

#[test]
fn a_file_that_was_named_must_be_there_and_be_toml() {
    let errors = World::default().args(&["--config", "gone.toml"]).errors();
    assert!(errors.len() == 1 && errors[0].starts_with("flag --config is \"gone.toml\": "), "{errors:?}");
    let errors = World::default().toml("port = 1\nport = 2\nlog = \"info\nlisten 1\n").errors();
    assert!(errors.len() >= 3, "each break is named: {errors:?}");
    assert!(errors.iter().all(|error| error.starts_with("file tertulia.toml, line ")), "{errors:?}");
}

#[test]
fn a_secret_is_in_no_error_and_no_debug_text_whatever_the_mistake() {
    let urls = [
        format!("redis://:{CANARY}@cache:6379/0"),
        format!("redis://:{CANARY}/x@cache"),
        format!("redis://:x@{CANARY}@cache"),
        format!("redis://:{CANARY}@cache:99999"),
        format!("redis://:{CANARY} x@cache"),
        format!("redis:// :{CANARY}"),
        format!("rediss://:{CANARY}@cache"),
        format!("{CANARY}://"),
        format!(":{CANARY}@cache"),
        CANARY.to_owned(),
        format!("postgres://chat:{CANARY}@db/chat"),
        format!("https://me:{CANARY}@chat.example.org"),
    ];
    for url in &urls {
        let mut worlds = vec![
            World::default().args(&["serve", &format!("--redsi={url}")]),
            World::default().args(&["serve", "--redis", url, "--redis", url]),
            World::default().toml(&format!("redis = \"{url}\nredis = {url}\n")),
            World::default().toml(&format!("redis = [\"{url}\"]\n")),
        ];
        if url.contains("://") && !url.starts_with(CANARY) {
            worlds.push(World::default().args(&["serve", url]));
            worlds.push(World::default().args(&["serve", &format!("redis={url}")]));
        }
        let names: &[Id] = if url.contains("sql") || url.contains("http") {
            &[Id::Redis, Id::Database, Id::PublicUrl, Id::Listen, Id::Log]
        } else {
            &[Id::Redis]
        };
        for id in names {
            worlds.push(World::default().args(&[&format!("{}={url}", id.setting().flag())]));
            worlds.push(World::default().env(&id.setting().variable(), url));
            worlds.push(World::default().toml(&format!("{} = '{url}'", id.setting().name)));
        }
        for world in worlds {
            let (shown, debugged) = match world.clone().serve().run() {
                Ok(command) => (String::new(), format!("{command:?} {command:#?}")),
                Err(stop) => (stop.to_string(), format!("{stop:?}")),
            };
            assert!(!shown.contains(CANARY) && !debugged.contains(CANARY), "{shown}\n{debugged}");
            assert!(shown.is_empty() || debugged.contains("Refused") || debugged.contains("Said"));
        }
    }
}

#[test]
fn control_characters_and_endless_values_do_not_reach_the_terminal() {
    let errors = World::default().env("TERTULIA_LISTEN", "\u{1b}]52;c;x\u{7}\r\n\u{202e}").errors();
    assert!(errors[0].chars().all(|c| !c.is_control() && c != '\u{202e}'), "{:?}", errors[0]);
    let errors = World::default().env("TERTULIA_LISTEN", &"9".repeat(100_000)).errors();
    assert!(errors[0].len() < 400, "{} bytes", errors[0].len());
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_refused_by_name() {
    use std::os::unix::ffi::OsStringExt;
    let broken = || OsString::from_vec(b"\xff\xfe".to_vec());
    let stop = parse(&Surroundings {
        args: vec!["tertulia".into(), "serve".into(), "--data".into(), broken()],
        env: vec![("TERTULIA_INSTANCE".into(), broken()), (broken(), "1".into())],
        read_file: &|_| Err(io::ErrorKind::NotFound.into()),
        host: None,
        pid: 1,
    });
    let said = stop.expect_err("two values are not text").to_string();
    assert!(said.contains("flag --data: the value is not UTF-8"), "{said}");
    assert!(said.contains("variable TERTULIA_INSTANCE: the value is not UTF-8"), "{said}");
}
