//! The stock market from outside: two instances on a real Redis, a stream that resumes, a page without a script.

use std::collections::BTreeMap;
use std::process::Stdio;

use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::Quote;
use tertulia_protocol::codec::decode;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::http::Request;
use crate::support::raw::head;
use crate::support::server::{Setup, TestServer, folder};
use crate::support::{PATIENCE, eventually};

/// Somebody who runs `curl -N`.
struct Curl {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// An event of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    id: String,
    quote: Quote,
}

impl Curl {
    fn follow(server: &TestServer, query: &str, headers: &[&str]) -> Self {
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--fail-with-body"]);
        command.args(headers.iter().flat_map(|header| ["--header", header]));
        command.arg(format!("{}/feeds/stocks{query}", server.door.origin));
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("curl is installed");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { _child: child, lines }
    }

    async fn line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.lines.next_line()).await.expect("the stream goes on").expect("text")
    }

    /// The next event; `None` at the end of the stream. Comments and the pause before coming back are no events.
    async fn event(&mut self) -> Option<Event> {
        let (mut id, mut quote) = (None, None);
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("data", value)) => quote = Some(decode(value).expect("a quote")),
                Some(("event", value)) => assert_eq!(value, "quote"),
                Some(("retry", value)) => assert_eq!(value, "2000"),
                _ if line.is_empty() => {
                    if let (Some(id), Some(quote)) = (id.take(), quote.take()) {
                        return Some(Event { id, quote });
                    }
                }
                _ => panic!("{line:?} belongs to no event"),
            }
        }
    }

    async fn events(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.event().await.expect("the stream goes on"));
        }
        events
    }

    /// Prices by second and stock, until there are those of a second after `at` (Unix milliseconds).
    async fn prices_until(&mut self, at: i64) -> BTreeMap<(i64, String), i64> {
        let mut prices = BTreeMap::new();
        loop {
            let Quote { symbol, price, at: now, .. } = self.event().await.expect("the stream goes on").quote;
            if now > at {
                return prices;
            }
            assert_eq!(prices.insert((now, symbol), price), None, "a second is told once");
        }
    }
}

/// The newest second that an instance shows, in Unix milliseconds.
async fn newest(server: &TestServer) -> i64 {
    let latest = async || Some(server.chat().market().expect("a market").latest()?.second * 1_000);
    eventually("the market opens", latest).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_show_the_same_prices_and_a_late_one_the_same_five_minutes() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let until = newest(&a).await + 2_000;
    newest(&b).await;
    let (mut at_a, mut at_b) = (Curl::follow(&a, "", &[]), Curl::follow(&b, "", &[]));
    let prices = at_a.prices_until(until).await;
    assert_eq!(at_b.prices_until(until).await, prices);
    assert!(prices.len() > 290 * 10, "five minutes of ten stocks at once: {}", prices.len());

    let late = Setup::new().on(&a.folder).redis(&redis.url()).named("late").start().await;
    late.until_bus("live").await;
    let known = |at: i64| late.chat().market().expect("a market").watch(0).past.iter().any(|t| t.second * 1_000 == at);
    eventually("the late instance is told the past", async || known(until).then_some(())).await;
    let told = Curl::follow(&late, "", &[]).prices_until(until).await;
    let common = prices.iter().filter(|(key, price)| told.get(key) == Some(price)).count();
    assert!(common > 280 * 10, "the same past, less the seconds that have passed: {common} of {}", prices.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_instance_that_rolls_the_prices_stops_the_other_rolls_on() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    newest(&a).await;
    newest(&b).await;
    let mut stream = Curl::follow(&b, "", &[]);
    let before = stream.prices_until(newest(&a).await).await;
    a.stop().await;
    let gone = newest(&b).await;
    let after = stream.prices_until(gone + 3_000).await;
    let last = |prices: &BTreeMap<(i64, String), i64>| {
        prices.iter().rev().find(|((_, symbol), _)| symbol == "AAPL").map(|(_, price)| *price).expect("a price")
    };
    let (was, is) = (last(&before), last(&after));
    assert!((was - is).abs() < was / 20, "{was} became {is}: it went on, it did not begin anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_resumes_after_the_last_event_that_was_heard() {
    let server = TestServer::alone().await;
    newest(&server).await;
    let all = Curl::follow(&server, "", &[]).events(40).await;
    let id = &all[12].id;
    assert!(id.ends_with(".2"), "premise: in the middle of a second, {id}");
    let resumed = Curl::follow(&server, "", &[&format!("Last-Event-ID: {id}")]).events(27).await;
    assert_eq!(resumed, all[13..]);
    let second = id.split('.').next().expect("a second");
    let resumed = Curl::follow(&server, &format!("?after={second}"), &[]).events(20).await;
    assert_eq!(resumed, all[20..]);
    let refused = server.get("/feeds/stocks?after=yesterday").await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("bad_cursor")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_past_is_told_whole_and_in_pieces() {
    let symbols = (0..54).map(|n| format!("S{n}")).collect::<Vec<_>>().join(",");
    let server = Setup::new().flag("--stock-symbols", &symbols).start().await;
    newest(&server).await;
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let head = head(&mut stream, b"GET /feeds/stocks HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(head.contains("transfer-encoding: chunked"), "premise: pieces have sizes, {head}");
    let mut pieces = BufReader::new(stream);
    let (mut told, mut largest) = (0, 0);
    while told < 300 * 64 {
        let mut line = String::new();
        timeout(PATIENCE, pieces.read_line(&mut line)).await.expect("it goes on").expect("a size");
        let size = usize::from_str_radix(line.trim(), 16).expect("a size");
        let mut piece = vec![0; size + 2];
        timeout(PATIENCE, pieces.read_exact(&mut piece)).await.expect("it goes on").expect("a piece");
        told += String::from_utf8_lossy(&piece).matches("event: quote").count();
        largest = largest.max(size);
    }
    assert!(largest < 128 * 1024, "{largest} bytes would wait for whoever is slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_never_compressed_nor_kept_and_ends_when_its_instance_does() {
    let server = TestServer::alone().await;
    newest(&server).await;
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--no-buffer", "--include", "--header", "Accept-Encoding: gzip, br"]);
    curl.arg(format!("{}/feeds/stocks", server.door.origin));
    let mut child = curl.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("curl is installed");
    let mut out = child.stdout.take().expect("its output");
    let mut text = String::new();
    while !text.contains("\ndata: ") {
        let mut bytes = [0; 1_024];
        let count = timeout(PATIENCE, out.read(&mut bytes)).await.expect("it answers").expect("text");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    let head = text.to_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store") && !head.contains("content-encoding"), "{head}");
    // Whoever does not read is let go of later, by force: the rest is read while the server stops.
    let mut rest = Vec::new();
    let (_, read) = tokio::join!(server.stop(), timeout(PATIENCE, out.read_to_end(&mut rest)));
    assert!(read.expect("the stream ends").is_ok());
    assert!(timeout(PATIENCE, child.wait()).await.expect("so does curl").is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_complete_without_a_script() {
    let server = Setup::new().flag("--stock-symbols", "acme,BRK.B").start().await;
    newest(&server).await;
    let page = server.get("/stocks").await;
    assert_eq!(page.status, 200);
    for word in ["<h1", "AAPL", "TSLA", "ACME", "BRK.B", "M0 ", " to ", "no-store"] {
        let all = format!("{} {}", page.body, page.header("cache-control").unwrap_or_default());
        assert!(all.contains(word), "{word} is missing");
    }
    assert_eq!(page.body.matches("class=\"trace\"").count(), 12, "a line for each stock");
    let room = server.guest("Ana").await.get("/r/chat").await;
    assert!(room.body.contains("href=\"/stocks\""), "the way there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_may_turn_it_off_and_a_public_one_asks_for_a_session() {
    let off = Setup::new().flag("--stocks", "off").start().await;
    let page = off.get("/stocks").await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("turn the stock market off"), "{}", page.body);
    let feed = off.get("/feeds/stocks").await;
    assert_eq!((feed.status, feed.json()["code"].as_str()), (404, Some("not_found")));
    assert!(!off.guest("Ana").await.get("/r/chat").await.body.contains("href=\"/stocks\""));

    let public = Setup::new().public_url("http://chat.example.org").start().await;
    newest(&public).await;
    assert_eq!(public.get("/stocks").await.location(), "/?next=/stocks");
    assert!(public.get("/?next=/stocks").await.body.contains("name=\"next\" value=\"/stocks\""), "the way back");
    let fields = [("name", "Eva"), ("next", "/stocks")];
    assert_eq!(Request::post("/enter", &fields).send(&public.door).await.location(), "/stocks");
    assert_eq!(public.get("/feeds/stocks").await.status, 401);
    assert_eq!(public.guest("Ana").await.get("/stocks").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_posts_a_quote_once_and_an_unknown_stock_is_refused_in_words() {
    let server = TestServer::alone().await;
    newest(&server).await;
    let ana = server.guest("Ana").await;
    let key = tertulia_protocol::Key::mint().to_string();
    let fields = [("key", key.as_str()), ("body", "/stocks aapl")];
    for _ in 0..2 {
        assert_eq!(ana.post("/r/chat/messages", &fields).await.location(), "/r/chat");
    }
    let page = ana.get("/r/chat").await;
    assert_eq!(page.body.matches("body quote").count(), 1, "sent twice, stored once, drawn as a card");
    let refused = ana.post("/r/chat/messages", &[("body", "/stocks NOPE")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("no stock NOPE") && refused.body.contains("AAPL, AMZN"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_only_asked_about_is_not_begun() {
    let server = Setup::new().on(&folder()).start().await;
    let answer = Request::new("HEAD", "/feeds/stocks").send(&server.door).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
}
