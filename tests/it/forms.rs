//! The doors for whoever has no script: POST, redirect, GET. And who may not use them.

use tertulia_protocol::Key;

use crate::support::guest::Guest;
use crate::support::html::Page;
use crate::support::http::Request;
use crate::support::server::{Setup, TestServer};

/// How many messages of the lobby say this.
async fn said(guest: &Guest, text: &str) -> usize {
    let page = guest.get("/r/chat").await;
    assert_eq!(page.status, 200, "{page:?}");
    Page::read(&page.body).messages().iter().filter(|message| message.text == text).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entering_sets_the_cookie_with_exactly_its_attributes() {
    let plain = TestServer::alone().await;
    let secure = Setup::new().public_url("https://chat.example.org").start().await;
    for (server, name, end) in [(&plain, "sid", ""), (&secure, "__Host-sid", "; Secure")] {
        let form = Request::post("/enter", &[("name", "Ana")]).header("origin", &server.door.origin);
        let answer = form.send(&server.door).await;
        assert_eq!(answer.location(), "/r/chat");
        let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
        let token = cookie.strip_prefix(&format!("{name}=")).and_then(|rest| rest.split(';').next()).expect("its name");
        assert_eq!(token.len(), 43, "256 bits as base64url");
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{token}");
        assert_eq!(cookie, format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000{end}"));
        for file in ["tertulia.db", "tertulia.db-wal"] {
            let bytes = std::fs::read(server.folder.path().join(file)).expect("the database");
            assert!(!bytes.windows(43).any(|window| window == token.as_bytes()), "only the hash is kept: {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_cookie_is_not_made_into_a_session() {
    let server = TestServer::alone().await;
    let planted = "sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = Request::post("/enter", &[("name", "Ana")]).header("cookie", planted).send(&server.door).await;
    let cookie = answer.header("set-cookie").expect("a new session");
    assert!(!cookie.starts_with(planted), "{cookie}");
    let planted = Guest { door: server.door.clone(), cookie: planted.to_owned() };
    assert_eq!(planted.get("/rooms.json").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_takes_the_cookie_back_and_ends_the_session() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let answer = guest.post("/leave", &[]).await;
    assert_eq!(answer.location(), "/");
    assert_eq!(answer.header("set-cookie"), Some("sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\", \"storage\""));
    assert_eq!(guest.get("/r/chat").await.location(), "/?next=/r/chat");
    assert_eq!(guest.post("/r/chat/messages", &[("body", "late")]).await.location(), "/?next=/r/chat");
    assert_eq!(guest.post("/leave", &[]).await.location(), "/", "leaving twice is fine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_once_and_opened_by_its_name_ever_after() {
    let server = TestServer::alone().await;
    let (ana, bruno) = (server.guest("Ana").await, server.guest("Bruno").await);
    for (name, again, path) in [
        ("Café con leche", "  CAFÉ   con  leche ", "/r/caf%C3%A9-con-leche"),
        ("日本語", "日本語", "/r/%E6%97%A5%E6%9C%AC%E8%AA%9E"),
        ("Friday_9", "friday_9", "/r/friday_9"),
    ] {
        assert_eq!(ana.post("/rooms", &[("name", name)]).await.location(), path);
        assert_eq!(bruno.post("/rooms", &[("name", again)]).await.location(), path, "{again:?} is that room");
        let page = bruno.get(path).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(Page::read(&page.body).title(), format!("{name} · Tertulia"));
    }
    let rooms = ana.get("/rooms.json").await.json();
    assert_eq!(rooms.as_array().map(Vec::len), Some(4), "the lobby and three more: {rooms}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_who_make_one_room_at_once_all_come_to_the_same() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let form = [("name", "All at once")];
    let answers = futures::future::join_all((0..100).map(|_| guest.post("/rooms", &form))).await;
    assert!(answers.iter().all(|answer| answer.location() == "/r/all-at-once"));
    assert_eq!(guest.get("/rooms.json").await.json().as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_form_that_is_sent_twice_is_stored_once() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let page = guest.get("/r/chat").await;
    let page = Page::read(&page.body);
    let key = page.all("input").find(|input| input.get("name") == Some("key")).and_then(|input| input.get("value"));
    let key = key.expect("the form has a key").to_owned();
    assert!(Key::parse(&key).is_some(), "{key}");
    let action = page.all("form").find(|form| form.has_class("composer")).and_then(|form| form.get("action"));
    assert_eq!(action, Some("/r/chat/messages"));
    for _ in 0..2 {
        let answer = guest.post("/r/chat/messages", &[("key", &key), ("body", "Hola,\r\nquè tal?")]).await;
        assert_eq!(answer.location(), "/r/chat");
    }
    assert_eq!(said(&guest, "Hola,\nquè tal?").await, 1);
    for key in ["", "nonsense"] {
        assert_eq!(guest.post("/r/chat/messages", &[("key", key), ("body", "keyless")]).await.location(), "/r/chat");
    }
    assert_eq!(said(&guest, "keyless").await, 2, "without a key every form is an act of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_words_under_a_form_s_key_are_stored_once_however_often_they_are_sent() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let key = Key::mint().to_string();
    for body in ["first", "edited after Back", "edited after Back", "edited again", "first"] {
        let answer = guest.post("/r/chat/messages", &[("key", &key), ("body", body)]).await;
        assert_eq!(answer.location(), "/r/chat");
    }
    for body in ["first", "edited after Back", "edited again"] {
        assert_eq!(said(&guest, body).await, 1, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_cannot_be_read_is_answered_for_people() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let huge = "x".repeat(200 * 1024);
    for (path, field, status) in [("/r/chat/messages", "body", 413), ("/enter", "name", 413), ("/rooms", "title", 422)]
    {
        let answer = guest.post(path, &[(field, if status == 413 { huge.as_str() } else { "x" })]).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains("Go back and try again"), "{path}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_enters_too_often_reads_a_sentence_and_not_json() {
    let server = Setup::new().start().await;
    let entering = Request::post("/enter", &[("name", "Ana")]);
    let all = (0..400).map(|_| entering.send(&server.door));
    let answers = futures::future::join_all(all).await;
    let refused = answers.iter().find(|answer| answer.status == 429);
    let refused = refused.expect("400 guests of one address in one breath are too many");
    assert!(refused.body.contains("Too many people came in"), "{}", refused.body);
    assert!(refused.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_message_of_emoji_goes_through_the_form() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let longest = "🍷".repeat(10_000);
    assert_eq!(guest.post("/r/chat/messages", &[("body", &longest)]).await.location(), "/r/chat");
    assert_eq!(said(&guest, &longest).await, 1);
    let answer = guest.post("/r/chat/messages", &[("body", &"a".repeat(10_001))]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains(&"a".repeat(10_001)), "what was written is given back, to be cut and sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_form_leads_back_to_its_page_with_a_word_and_the_page_says_a_sentence() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    for (name, typed, why) in [
        ("", "", "empty"),
        ("   ", "%20%20%20", "empty"),
        ("a\0b", "ab", "bad_char"),
        ("a\u{202e}b", "ab", "bad_name"),
        ("a\u{200b}b", "ab", "bad_name"),
        ("Admin", "Admin", "name_reserved"),
        (&"x".repeat(49), &"x".repeat(49), "too_long"),
        (&"x".repeat(500), &"x".repeat(200), "too_long"),
    ] {
        let answer = Request::post("/enter", &[("name", name)]).send(&server.door).await;
        assert_eq!(answer.location(), format!("/?next=/r/chat&typed={typed}&refused={why}"), "{name:?}");
        assert_eq!(answer.header("set-cookie"), None);
        let page = Request::get(answer.location()).send(&server.door).await;
        let alert = Page::read(&page.body).text_of(0, |element| element.get("role") == Some("alert"));
        assert_eq!(page.status, 200);
        assert!(page.body.contains("refused") && alert.is_some(), "the page says why: {name:?}");
        let page = Page::read(&page.body);
        let field = page.elements().find(|found| found.get("id") == Some("name")).expect("the field");
        assert_eq!(field.get("value").unwrap_or_default(), typed.replace("%20", " "), "what was typed is given back");
    }
    let long = "x".repeat(65);
    for (name, typed, why) in
        [("", "", "empty"), ("...", "...", "bad_name"), ("\u{202e}", "", "bad_name"), (&long, &long, "too_long")]
    {
        let answer = guest.post("/rooms", &[("name", name), ("from", "/r/chat")]).await;
        assert_eq!(answer.location(), format!("/r/chat?typed={typed}&room-refused={why}"), "{name:?}");
        let page = guest.get(answer.location()).await.body;
        let (sidebar, room) = page.split_once("<main").expect("the sidebar stands before the room");
        let shown = |part: &str| {
            let alerts = Page::read(part);
            alerts.elements().any(|found| found.has_class("refused") && found.get("hidden").is_none())
        };
        assert!(shown(sidebar) && !shown(room), "it is said beside the form: {name:?}");
        let page = Page::read(sidebar);
        let field = page.elements().find(|found| found.get("id") == Some("new-room")).expect("the field");
        assert!(field.get("autofocus").is_some(), "the field has the focus: {name:?}");
        assert_eq!(field.get("value").unwrap_or_default(), typed, "and what was typed");
    }
    for body in ["", " \u{200b}\u{2060}\u{feff} "] {
        let answer = guest.post("/r/chat/messages", &[("body", body)]).await;
        assert_eq!(answer.location(), "/r/chat?refused=empty", "{body:?}");
    }
    let answer = guest.post("/r/chat/messages", &[("body", "a\u{0}7</textarea><script>alert(1)</script>")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("a\u{FFFD}7&lt;/textarea&gt;&lt;script&gt;"), "given back as text: {}", answer.body);
    let nowhere = guest.post("/r/nowhere/messages", &[("body", "a long thought")]).await;
    assert_eq!(nowhere.status, 404, "what was written stays in the browser: no redirect");
    for path in ["/r/nowhere", "/r/%2e", "/r/%2E%2e"] {
        assert_eq!(guest.get(path).await.status, 404, "{path}");
    }
    assert_eq!(guest.get("/r/chat?refused=<script>alert(1)</script>").await.body.matches("alert(1)").count(), 0);
    let typed = Request::get("/?refused=bad_name&typed=%22%3E%3Cscript%3E").send(&server.door).await.body;
    assert!(!typed.contains("\"><script>"), "what was typed is text: {typed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_origin_is_refused_and_nothing_is_stored() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let kinds = ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"];
    let foreign = [
        ("origin", "https://evil.com"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in foreign {
        for path in ["/r/chat/messages", "/rooms", "/enter", "/leave"] {
            for kind in kinds {
                let request = Request::new("POST", path)
                    .body(b"name=Evil&body=forged".to_vec())
                    .header("content-type", kind)
                    .header("cookie", &guest.cookie)
                    .header(name, value);
                let answer = request.send(&server.door).await;
                assert_eq!(answer.status, 403, "{name}: {value} to {path} as {kind}: {answer:?}");
                assert_eq!((answer.header("location"), answer.header("set-cookie")), (None, None));
                assert!(answer.body.contains("A page of another site sent this"), "{answer:?}");
            }
        }
    }
    assert_eq!(said(&guest, "forged").await, 0);
    assert_eq!(guest.get("/rooms.json").await.json().as_array().map(Vec::len), Some(1), "no room was made");
    for kind in &kinds[1..] {
        let own = Request::new("POST", "/r/chat/messages")
            .body(b"body=forged".to_vec())
            .header("content-type", kind)
            .header("cookie", &guest.cookie)
            .header("origin", &server.door.origin);
        assert_eq!(own.send(&server.door).await.status, 415, "{kind} is no form of ours");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_changes_by_getting() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    for path in ["/rooms?name=Evil", "/r/chat/messages?body=forged", "/enter?name=Evil", "/leave"] {
        let answer = guest.get(path).await;
        assert!(matches!(answer.status, 404 | 405), "{path}: {answer:?}");
        assert_eq!(answer.header("set-cookie"), None);
        if answer.status == 405 {
            assert_eq!(answer.header("allow"), Some("POST"), "{path}");
            assert!(answer.body.contains("This address does not take this method"), "{answer:?}");
        }
    }
    assert_eq!(said(&guest, "forged").await, 0, "and the session lives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_crafted_next_leads_away_from_here() {
    let server = TestServer::alone().await;
    let payloads = [
        "https://evil.com",
        "http://evil.com",
        "//evil.com",
        "///evil.com",
        "////evil.com",
        "/\\evil.com",
        "\\\\evil.com",
        "\\/evil.com",
        "/r/\\evil.com",
        "/r//evil.com",
        "/r/..//evil.com",
        "/r/../../evil.com",
        "/r/%2f%2fevil.com",
        "/r/%5cevil.com",
        "/r/%2e%2e/%2f/evil.com",
        "/r/.%0d%0aLocation: https://evil.com",
        "/r/a\r\nSet-Cookie: x=y",
        "/r/a\u{0}b",
        "/r/a\tb",
        " https://evil.com",
        "\thttps://evil.com",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "https:evil.com",
        "https:/evil.com",
        "@evil.com",
        "/r/@evil.com",
        "evil.com",
        "/enter",
        "/leave",
        "/r/chat?next=//evil.com",
        "/r/chat#//evil.com",
        "/r/x;//evil.com",
        "/r/\u{2028}evil",
        "/r/",
        "",
        "/R/chat",
        "/r/http://evil.com",
        "/r/%",
    ];
    for next in payloads {
        let good = Request::post("/enter", &[("name", "Ana"), ("next", next)]).send(&server.door).await;
        let location = good.location();
        assert!(location == "/r/chat" || location.starts_with("/r/"), "{next:?} leads to {location:?}");
        let rest = &location[3..];
        assert!(
            !rest.contains(['/', '\\', ':', '\t', '?', '#']) || rest.starts_with("http:"),
            "{next:?}: {location:?}"
        );
        assert!(!location.contains("//"), "{next:?} leads to {location:?}");
        assert_eq!(good.headers("set-cookie").len(), 1, "{next:?} splits no header");
        let bad = Request::post("/enter", &[("name", ""), ("next", next)]).send(&server.door).await;
        let back = bad.location();
        assert!(back.starts_with("/?next=/r/") && back.ends_with("&refused=empty"), "{next:?} leads back to {back:?}");
        let created = server.guest("Bea").await.post("/rooms", &[("name", ""), ("from", next)]).await;
        assert!(created.location().starts_with("/r/") && !created.location().contains("//"), "{next:?}");
    }
    let kept = Request::post("/enter", &[("name", "Ana"), ("next", "/r/caf%C3%A9")]).send(&server.door).await;
    assert_eq!(kept.location(), "/r/caf%C3%A9", "a room of ours is kept");
}
