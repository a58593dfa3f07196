//! The cluster one can watch: two instances in one picture, and what a class sees when one of them is cut off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tertulia_chat::Token;
use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::cluster::{Instance, Picture, Sent, Standing};
use tertulia_protocol::{BusState, ServerFrame, codec};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::http::{Answer, Request};
use crate::support::server::{Setup, TestServer, hashed};
use crate::support::socket::{Socket, bodies};
use crate::support::{LOBBY, PATIENCE};

/// An open feed.
struct Feed(Lines<BufReader<TcpStream>>);

impl Feed {
    async fn open(server: &TestServer) -> Self {
        let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
        // As 1.0, so that the lines come without the sizes of chunks between them.
        let head = format!("GET /feeds/cluster HTTP/1.0\r\nhost: {}\r\n\r\n", server.door.host);
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        let mut feed = Self(BufReader::new(stream).lines());
        let status = feed.line().await.expect("an answer");
        assert!(status.contains(" 200 "), "{status}");
        feed
    }

    async fn line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.0.next_line()).await.expect("a line comes, or the end").ok().flatten()
    }

    /// The data of the next event of this name.
    async fn next(&mut self, name: &str) -> Option<String> {
        let mut named = false;
        loop {
            let line = self.line().await?;
            if let Some(event) = line.strip_prefix("event: ") {
                named = event == name;
            } else if let Some(data) = line.strip_prefix("data: ").filter(|_| named) {
                return Some(data.to_owned());
            }
        }
    }

    /// The first picture that is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Picture) -> bool) -> Picture {
        loop {
            let data = self.next("state").await.expect("the feed goes on");
            let picture: Picture = codec::decode(&data).expect("a picture");
            if wanted(&picture) {
                return picture;
            }
        }
    }

    async fn sent(&mut self) -> Sent {
        codec::decode(&self.next("message").await.expect("the feed goes on")).expect("a message that travels")
    }
}

fn named<'a>(picture: &'a Picture, name: &str) -> Option<&'a Instance> {
    picture.instances.iter().find(|instance| instance.name == name)
}

fn stands(picture: &Picture, name: &str, standing: Standing) -> bool {
    named(picture, name).is_some_and(|instance| instance.standing == standing)
}

async fn switch(server: &TestServer, fields: &[(&str, &str)]) -> Answer {
    Request::post("/cluster/bus", fields).header("origin", &server.door.origin).send(&server.door).await
}

async fn until_service(socket: &mut Socket, wanted: BusState) {
    socket.until(|frame| matches!(frame, ServerFrame::Service { bus } if bus == wanted).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_instances_see_both_and_a_message_travels_to_who_follows_its_room() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    bruno.follow(LOBBY).await;
    for (server, own) in [(&a, "a"), (&b, "b")] {
        let mut feed = Feed::open(server).await;
        let both = |picture: &Picture| {
            let seen = |name, rooms| named(picture, name).is_some_and(|i| i.sockets == 1 && i.rooms >= rooms);
            seen("a", 0) && seen("b", 1)
        };
        let picture = feed.until(both).await;
        assert!(picture.redis && picture.switch);
        assert_eq!(picture.instances.len(), 2);
        for instance in &picture.instances {
            assert_eq!(instance.here, instance.name == own, "{instance:?}");
            assert_eq!(instance.standing, Standing::Live);
            assert!(instance.echo_us.is_some_and(|us| us < 10_000_000), "{instance:?}");
        }
        let id = |name| named(&picture, name).expect("it is there").id.clone();
        ana.tell(LOBBY, "seen from afar").await;
        assert_eq!(feed.sent().await, Sent { from: id("a"), to: vec![id("b")], carried: true });
        let said = |picture: &Picture| named(picture, "a").is_some_and(|a| a.in_tenths > 0);
        let told = |picture: &Picture| named(picture, "b").is_some_and(|b| b.out_tenths > 0);
        feed.until(|picture| said(picture) && told(picture)).await;
    }
    b.stop().await;
    Feed::open(&a).await.until(|picture| named(picture, "b").is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_island_hears_nothing_until_it_is_healed_and_then_everything_once() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    bruno.follow(LOBBY).await;
    let (mut here, mut there) = (Feed::open(&b).await, Feed::open(&a).await);
    there.until(|picture| named(picture, "b").is_some()).await;

    assert_eq!(switch(&b, &[("cut", "on"), ("sql", "off")]).await.location(), "/cluster");
    until_service(&mut bruno, BusState::Degraded).await;
    let words = b.until_bus("degraded: cut by the switch on /cluster").await;
    assert!(words.contains("SQL"), "{words}");
    let picture = here.until(|picture| stands(picture, "b", Standing::Cut)).await;
    let island = named(&picture, "b").expect("premise: it is there");
    assert!(island.island && island.cut_s.is_some_and(|left| left <= 300) && island.echo_us.is_none(), "{island:?}");
    there.until(|picture| stands(picture, "b", Standing::Cut)).await;

    ana.tell(LOBBY, "one").await;
    let last = ana.tell(LOBBY, "two").await;
    let host = a.chat().enter("Host").await.expect("the name is fine").0;
    let made = a.chat().create_room(&host, "Elsewhere").await.expect("the room is made");
    // Several comparisons would have come by now, were they made: the feed tells seconds.
    for _ in 0..4 {
        here.until(|picture| stands(picture, "b", Standing::Cut)).await;
    }
    bruno.say(r#"{"t":"ping"}"#).await;
    bruno
        .until(|frame| {
            let heard = matches!(frame, ServerFrame::Entries { .. } | ServerFrame::Room { .. });
            assert!(!heard, "an island hears nothing: {frame:?}");
            matches!(frame, ServerFrame::Pong).then_some(())
        })
        .await;

    assert_eq!(switch(&b, &[("cut", "off")]).await.location(), "/cluster");
    assert_eq!(bodies(&bruno.entries_until(LOBBY, last).await), ["one", "two"], "everything, once, in order");
    // Told by the store, after the comparison that healing calls for.
    bruno.until(|frame| matches!(frame, ServerFrame::Room { room } if room == made).then_some(())).await;
    b.until_bus("live").await;
    here.until(|picture| stands(picture, "b", Standing::Live) && stands(picture, "a", Standing::Live)).await;
    there.until(|picture| stands(picture, "b", Standing::Live)).await;
    let last = ana.tell(LOBBY, "three").await;
    assert_eq!(bodies(&bruno.entries_until(LOBBY, last).await), ["three"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_but_with_sql_everything_comes_a_little_late() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    bruno.follow(LOBBY).await;
    assert_eq!(switch(&b, &[("cut", "on")]).await.location(), "/cluster");
    b.until_bus("degraded: cut by the switch on /cluster").await;
    let last = ana.tell(LOBBY, "late").await;
    assert_eq!(bodies(&bruno.entries_until(LOBBY, last).await), ["late"]);
    let mut feed = Feed::open(&b).await;
    let picture = feed.until(|picture| stands(picture, "b", Standing::Cut)).await;
    assert!(!named(&picture, "b").expect("premise: it is there").island);
    bruno.tell(LOBBY, "from the cut one").await;
    let sent = feed.sent().await;
    assert!(!sent.carried && sent.to.is_empty(), "{sent:?}");
    switch(&b, &[("cut", "off")]).await;
    b.until_bus("live").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_the_instances_as_a_table_and_alone_it_says_so() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    // As soon as they know of each other the first picture has both, without anybody having watched before.
    let page = crate::support::eventually("both are in the first picture", async || {
        let answer = a.get("/cluster").await;
        assert_eq!(answer.status, 200);
        (answer.body.matches("<th scope=\"row\"").count() == 2).then_some(answer.body)
    })
    .await;
    assert!(page.contains("you are here") && page.contains("Redis") && page.contains("/cluster/bus"), "{page}");
    let inside = a.guest("Ana").await.get("/r/chat").await;
    assert!(inside.body.contains("href=\"/cluster\""), "the way there is at the foot of the list of rooms");
    drop(b);

    let alone = TestServer::alone().await;
    let page = alone.get("/cluster").await.body;
    assert_eq!(page.matches("<th scope=\"row\"").count(), 1);
    assert!(page.contains("no Redis"), "{page}");
    assert_eq!(switch(&alone, &[("cut", "on")]).await.status, 404, "there is nothing to cut");
    let feed = Feed::open(&alone).await.until(|_| true).await;
    assert!(!feed.redis && !feed.switch && feed.instances.len() == 1, "{feed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_public_url_a_token_for_all_rooms_watches_and_nobody_cuts() {
    let redis = RealRedis::start().await;
    let (all, some) = (Token::mint().expect("randomness"), Token::mint().expect("randomness"));
    let rows = format!("class:{}:*,ops:{}:ops:publish", hashed(&all), hashed(&some));
    let host = Setup::new().redis(&redis.url()).public_url("https://chat.example.org").tokens(&rows).start().await;
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{}", all.reveal())));
    for (authorization, status) in [
        (String::new(), 401),
        ("Bearer nonsense".to_owned(), 401),
        ("Basic !".to_owned(), 401),
        (format!("Bearer {}", some.reveal()), 403),
        (format!("Bearer {}", all.reveal()), 200),
        (basic, 200),
    ] {
        let answer = Request::get("/cluster").header("authorization", &authorization).send(&host.door).await;
        assert_eq!(answer.status, status, "{authorization}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{authorization}");
    }
    assert_eq!(host.get("/feeds/cluster").await.status, 401);
    assert_eq!(switch(&host, &[("cut", "on")]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_elsewhere_never_cuts() {
    let redis = RealRedis::start().await;
    let open = Setup::new().redis(&redis.url()).start().await;
    open.until_bus("live").await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let mut request = Request::post("/cluster/bus", &[("cut", "on")]);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(request.send(&open.door).await.status, 403, "{origin:?}");
    }
    for fields in [&[][..], &[("cut", "maybe")], &[("sql", "off")]] {
        assert_eq!(switch(&open, fields).await.status, 422, "{fields:?}");
    }
    open.until_bus("live").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_stops_ends_its_feeds_at_once() {
    let server = TestServer::alone().await;
    let mut feed = Feed::open(&server).await;
    feed.until(|_| true).await;
    server.stop().await;
    while feed.next("state").await.is_some() {}
}
