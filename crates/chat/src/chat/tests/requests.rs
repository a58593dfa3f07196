//! Frames in requests of their own: the same answers as on a socket, by the budget of the person, whole or not at all.

use std::sync::Arc;

use tertulia_protocol::limits::FRAMES_PER_REQUEST;
use tertulia_protocol::{Close, Code, Key, Person, Seq, ServerFrame, codec};

use super::gated::Gated;
use super::support::{Cluster, GRACE, Instance, LOBBY, PATIENCE, bodies};
use crate::bus::embedded::EmbeddedHub;
use crate::store::TokenHash;
use crate::{Chat, Connection, Token};

/// Somebody with a session and without a socket.
struct Writer {
    chat: Arc<Chat>,
    person: Person,
    token: TokenHash,
}

impl Writer {
    async fn at(instance: &Instance, name: &str) -> Self {
        let (person, token) = instance.chat.enter(name).await.expect("the name is fine");
        let token = Token::hash_of(token.reveal()).expect("a token has a hash");
        Self { chat: instance.chat.clone(), person, token }
    }

    async fn asks(&self, frames: &[&str]) -> Vec<ServerFrame> {
        let answers = Connection::answer(self.chat.clone(), self.person.clone(), self.token, frames).await;
        let decoded = answers.iter().map(|bytes| {
            let text = std::str::from_utf8(bytes).expect("frames are UTF-8");
            codec::decode_server(text).expect("our own frames decode")
        });
        decoded.collect()
    }

    async fn stored(&self) -> Vec<String> {
        let member = self.chat.member(&self.person, LOBBY).await.expect("open");
        let entries = self.chat.pull(&member, Seq(1), 500).await.expect("read");
        bodies(&entries).into_iter().map(str::to_owned).collect()
    }
}

fn send(key: Key, body: &str) -> String {
    format!(r#"{{"t":"send","room":1,"key":"{key}","body":"{body}"}}"#)
}

fn codes(answers: &[ServerFrame]) -> Vec<Code> {
    let code = |answer: &ServerFrame| match answer {
        ServerFrame::Nack { refusal, .. } | ServerFrame::Error { refusal, .. } => Some(refusal.code),
        _ => None,
    };
    answers.iter().filter_map(code).collect()
}

#[tokio::test]
async fn everything_but_following_is_answered() {
    let cluster = Cluster::limited();
    let ana = Writer::at(&cluster.instances[0], "Ana").await;
    let key = Key::mint();
    let said = ana.asks(&[&send(key, "by post")]).await;
    let [ServerFrame::Ack { key: acked, seq, duplicate: false, .. }] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((*acked, *seq), (key, Seq(2)));
    let again = ana.asks(&[&send(key, "by post")]).await;
    assert!(matches!(again.as_slice(), [ServerFrame::Ack { seq: Seq(2), duplicate: true, .. }]), "{again:?}");
    let pulled = ana.asks(&[r#"{"t":"pull","room":1,"after":1,"limit":5}"#]).await;
    let [ServerFrame::Entries { entries, .. }] = pulled.as_slice() else { panic!("{pulled:?}") };
    assert_eq!(bodies(entries), ["by post"]);
    let page = ana.asks(&[r#"{"t":"history","room":1,"before":2,"limit":5}"#]).await;
    assert!(matches!(page.as_slice(), [ServerFrame::Page { before: Seq(2), .. }]), "{page:?}");
    assert_eq!(ana.asks(&[r#"{"t":"ping"}"#]).await, [ServerFrame::Pong]);
    assert_eq!(ana.asks(&[]).await, []);
    let edit = format!(r#"{{"t":"edit","room":1,"key":"{}","message":2,"body":"edited"}}"#, Key::mint());
    for (frame, code) in [
        (edit.as_str(), Code::Unsupported),
        (r#"{"t":"read","room":1,"seq":2}"#, Code::Unsupported),
        (r#"{"t":"hello","v":1}"#, Code::Unsupported),
        (r#"{"t":"subscribe","room":1}"#, Code::Unsupported),
        (r#"{"t":"unsubscribe","room":1}"#, Code::Unsupported),
        (r#"{"t":"typing","room":99}"#, Code::NotFound),
        (r#"{"t":"send","room":1,"key":"x","body":"no key"}"#, Code::BadField),
        ("", Code::Malformed),
    ] {
        assert_eq!(codes(&ana.asks(&[frame]).await), [code], "{frame}");
    }
    assert_eq!(ana.stored().await, ["by post"]);
    assert_eq!(ana.chat.connections(), 0, "nobody stays");
}

#[tokio::test]
async fn what_is_sent_by_request_on_one_instance_is_heard_on_the_other_and_typing_too() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let ana = Writer::at(a, "Ana").await;
    let mut biel = b.guest("Biel").await;
    biel.subscribe(LOBBY, None).await;
    let typing = r#"{"t":"typing","room":1}"#;
    assert_eq!(ana.asks(&[typing, typing, &send(Key::mint(), "heard")]).await.len(), 1, "typing has no answer");
    // Too often within three seconds, whatever the request: one sign is all that comes.
    ana.asks(&[typing]).await;
    ana.asks(&[&send(Key::mint(), "the end")]).await;
    let (mut signs, mut said) = (0, Vec::new());
    while said.len() < 2 {
        match biel.next().await.expect("goes on") {
            ServerFrame::Typing { .. } => signs += 1,
            ServerFrame::Entries { entries, .. } => said.extend(bodies(&entries).into_iter().map(str::to_owned)),
            _ => {}
        }
    }
    assert_eq!((signs, said), (1, vec!["heard".to_owned(), "the end".to_owned()]));
}

#[tokio::test]
async fn sends_of_one_request_keep_their_order_though_others_write_meanwhile() {
    let cluster = Cluster::of(1);
    let (ana, biel) = (Writer::at(&cluster.instances[0], "Ana").await, Writer::at(&cluster.instances[0], "Biel").await);
    let frames = |who: &str| -> Vec<String> {
        (0..FRAMES_PER_REQUEST).map(|turn| send(Key::mint(), &format!("{who} {turn}"))).collect()
    };
    let (of_ana, of_biel) = (frames("ana"), frames("biel"));
    let [of_ana, of_biel] = [&of_ana, &of_biel].map(|frames| frames.iter().map(String::as_str).collect::<Vec<_>>());
    let (acks, _) = tokio::join!(ana.asks(&of_ana), biel.asks(&of_biel));
    assert!(acks.iter().all(|answer| matches!(answer, ServerFrame::Ack { .. })), "{acks:?}");
    assert_eq!(acks.len(), FRAMES_PER_REQUEST);
    let stored = ana.stored().await;
    for who in ["ana", "biel"] {
        let order: Vec<_> = stored.iter().filter(|body| body.starts_with(who)).cloned().collect();
        assert_eq!(order, (0..FRAMES_PER_REQUEST).map(|turn| format!("{who} {turn}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn many_small_requests_have_no_larger_budget_than_one_socket() {
    let cluster = Cluster::limited();
    let ana = Writer::at(&cluster.instances[0], "Ana").await;
    let pings = [r#"{"t":"ping"}"#; FRAMES_PER_REQUEST];
    let mut answered = 0;
    let refused = loop {
        let answers = ana.asks(&pings).await;
        answered += answers.iter().filter(|answer| **answer == ServerFrame::Pong).count();
        assert!(answered < 5_000, "the budget was never used up");
        if !codes(&answers).is_empty() {
            break answers;
        }
    };
    assert!(answered >= 400, "premise: the burst was let through, not {answered}");
    assert!(codes(&refused).iter().all(|code| *code == Code::RateLimited), "{refused:?}");
    // Nobody else pays for it.
    let biel = Writer::at(&cluster.instances[0], "Biel").await;
    assert_eq!(biel.asks(&[r#"{"t":"ping"}"#]).await, [ServerFrame::Pong]);
}

#[tokio::test]
async fn what_would_close_a_socket_ends_the_request_with_its_bye() {
    let cluster = Cluster::limited();
    let ana = Writer::at(&cluster.instances[0], "Ana").await;
    let last = send(Key::mint(), "not looked at");
    let answers = ana.asks(&["{", "{", "{", "{", "{", &last]).await;
    assert_eq!(codes(&answers), [Code::Malformed; 5]);
    let bye = answers.last().expect("a last word");
    assert!(matches!(bye, ServerFrame::Bye { code, .. } if *code == Close::Malformed.code()), "{bye:?}");
    assert_eq!(ana.stored().await, Vec::<String>::new());
    let answers = ana.asks(&[r#"{"t":"hello","v":2}"#]).await;
    assert!(matches!(answers.as_slice(), [ServerFrame::Error { .. }]), "it is no hello that counts here: {answers:?}");
}

#[tokio::test]
async fn a_request_that_is_cut_off_stores_whole_or_not_at_all_and_its_retry_tells() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = Instance::on(store.clone(), &EmbeddedHub::new(), 0, false, GRACE);
    let ana = Writer::at(&instance, "Ana").await;
    let (first, second) = (send(Key::mint(), "first"), send(Key::mint(), "second"));
    let frames = [first.as_str(), second.as_str()];
    {
        let asking = std::pin::pin!(ana.asks(&frames));
        // The writes wait at the gate, so the answer cannot come; then the caller is gone.
        assert!(futures::poll!(asking).is_pending());
    }
    store.let_through(100);
    let both = async {
        while ana.stored().await.len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, both).await.expect("what was taken is stored though nobody waits for it");
    let again = ana.asks(&frames).await;
    let duplicates = again.iter().map(|answer| match answer {
        ServerFrame::Ack { duplicate, .. } => *duplicate,
        other => panic!("{other:?}"),
    });
    assert_eq!(duplicates.collect::<Vec<_>>(), [true, true]);
    assert_eq!(ana.stored().await, ["first", "second"]);
}

#[tokio::test]
async fn a_stop_waits_for_the_answer_of_a_request_under_way() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = Instance::on(store.clone(), &EmbeddedHub::new(), 0, false, GRACE);
    let ana = Writer::at(&instance, "Ana").await;
    let frame = send(Key::mint(), "stored");
    let frames = [frame.as_str()];
    let mut asking = std::pin::pin!(ana.asks(&frames));
    assert!(futures::poll!(asking.as_mut()).is_pending(), "premise: it is under way");
    instance.chat.dismiss_all(std::time::Duration::ZERO);
    store.let_through(1);
    let answers = asking.await;
    assert!(matches!(answers.as_slice(), [ServerFrame::Ack { .. }]), "{answers:?}");
}
