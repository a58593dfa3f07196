//! What is refused, how, and what ends a conversation.

use std::time::Duration;

use tertulia_protocol::limits::MEND_MS;
use tertulia_protocol::{Close, Code, Key, RoomId, ServerFrame};

use super::support::{Client, Cluster, LOBBY};
use crate::{Connection, Token};

async fn refusal(client: &mut Client) -> (Code, Option<String>) {
    client
        .until(|frame| match frame {
            ServerFrame::Nack { refusal, .. } | ServerFrame::Error { refusal, .. } => {
                Some((refusal.code, refusal.field.map(|field| field.into_owned())))
            }
            _ => None,
        })
        .await
}

fn send(body: &str) -> String {
    let body = serde_json::to_string(body).expect("a string");
    format!(r#"{{"t":"send","room":1,"key":"{}","body":{body}}}"#, Key::mint())
}

#[tokio::test]
async fn ordinary_faults_are_answered_with_the_field_and_the_conversation_goes_on() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    let long = "x".repeat(10_001);
    let cases = [
        (send(""), Code::Empty, Some("body")),
        (send(" \u{200b}\u{2060}\n"), Code::Empty, Some("body")),
        (send(&long), Code::TooLong, Some("body")),
        (send("a\0b"), Code::BadChar, Some("body")),
        (send("hi").replace(r#""room":1"#, r#""room":99"#), Code::NotFound, Some("room")),
        (r#"{"t":"subscribe","room":99}"#.to_owned(), Code::NotFound, Some("room")),
        (r#"{"t":"subscribe","room":1,"after":-1}"#.to_owned(), Code::BadCursor, Some("after")),
        (r#"{"t":"history","room":1,"before":0,"limit":5}"#.to_owned(), Code::BadCursor, Some("before")),
        (r#"{"t":"history","room":1,"before":5,"limit":0}"#.to_owned(), Code::BadField, Some("limit")),
        (r#"{"t":"pull","room":1,"after":-5,"limit":5}"#.to_owned(), Code::BadCursor, Some("after")),
        (r#"{"t":"hello","v":1}"#.to_owned(), Code::Already, Some("t")),
    ];
    for (frame, code, field) in cases {
        ana.say(&frame).await.unwrap_or_else(|ended| panic!("{frame:.80} ended the conversation: {ended:?}"));
        assert_eq!(refusal(&mut ana).await, (code, field.map(str::to_owned)), "{frame:.80}");
    }
    assert_eq!(ana.post(LOBBY, "still here").await, 2, "nothing of the above was stored");
}

#[tokio::test]
async fn a_position_that_is_refused_is_told_from_the_others_of_its_hello() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].stranger("Ana").await;
    let rooms = [98, LOBBY.0, 99, 98];
    let positions = rooms.map(|room| format!(r#"{{"room":{room},"epoch":"","seq":0}}"#)).join(",");
    ana.say(&format!(r#"{{"t":"hello","v":1,"resume":[{positions}]}}"#)).await.expect("the rest of it holds");
    let mut refused = Vec::new();
    while refused.len() < 3 {
        if let ServerFrame::Error { reference, room, refusal } = ana.next().await.expect("the conversation goes on") {
            assert_eq!((reference.as_deref(), refusal.code), (Some("hello"), Code::NotFound));
            refused.push((room.map(|room| room.0), refusal.field.expect("its position is named").into_owned()));
        }
    }
    let expected = [(98, "resume[0].room"), (99, "resume[2].room"), (98, "resume[3].room")];
    assert_eq!(refused, expected.map(|(room, field)| (Some(room), field.to_owned())));
    assert_eq!(ana.post(LOBBY, "here all the same").await, 2);
}

#[tokio::test]
async fn of_frames_that_were_said_in_one_breath_each_refusal_names_its_room() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    let mut asked = Vec::new();
    for (kind, rest) in [
        ("subscribe", ""),
        ("subscribe", r#","after":-1"#),
        ("pull", r#","after":0,"limit":5"#),
        ("history", r#","before":5,"limit":5"#),
        ("typing", ""),
        ("read", r#","seq":1"#),
    ] {
        let room = 90 + asked.len();
        ana.say(&format!(r#"{{"t":"{kind}","room":{room}{rest}}}"#)).await.expect("the conversation goes on");
        asked.push((Some(kind.to_owned()), Some(RoomId(room as i64))));
    }
    let mut refused = Vec::new();
    while refused.len() < asked.len() {
        if let ServerFrame::Error { reference, room, .. } = ana.next().await.expect("the conversation goes on") {
            refused.push((reference, room));
        }
    }
    assert_eq!(refused, asked);
}

#[tokio::test]
async fn verbs_that_are_not_built_yet_are_refused_honestly() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    let seq = ana.post(LOBBY, "to be edited").await;
    for (kind, rest) in [("edit", r#","body":"edited""#), ("delete", ""), ("react", r#","emoji":"🎸""#), ("read", "")]
    {
        let key = Key::mint();
        let frame = format!(r#"{{"t":"{kind}","room":1,"key":"{key}","message":{seq},"seq":{seq}{rest}}}"#);
        ana.say(&frame).await.expect("the conversation goes on");
        assert_eq!(refusal(&mut ana).await, (Code::Unsupported, Some("t".to_owned())), "{kind}");
    }
}

#[tokio::test]
async fn any_frame_before_hello_and_a_wrong_version_end_the_conversation() {
    let cluster = Cluster::limited();
    let chat = &cluster.instances[0].chat;
    for (frame, close) in [
        (send("hi"), Close::BeforeHello),
        (r#"{"t":"ping"}"#.to_owned(), Close::BeforeHello),
        (r#"{"t":"hello","v":2}"#.to_owned(), Close::Version),
        (r#"{"t":"hello","v":"1"}"#.to_owned(), Close::Version),
        (r#"{"t":"hello"}"#.to_owned(), Close::Version),
    ] {
        let (person, token) = chat.enter("Ana").await.expect("fine");
        let hash = crate::Token::hash_of(token.reveal()).expect("a token has a hash");
        let mut connection = crate::Connection::open(chat.clone(), person, hash);
        let ended = connection.hear(&frame).await.expect_err("this ends it");
        assert_eq!(ended.close, close, "{frame:.60}");
        let hint = (close == Close::BeforeHello).then_some(MEND_MS);
        assert_eq!(ended.retry_after_ms, hint, "who breaks a rule each time does not knock as fast as it can");
    }
}

#[tokio::test]
async fn five_malformed_frames_end_the_conversation_and_four_do_not() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    for _ in 0..4 {
        ana.say("{").await.expect("not yet");
    }
    let ended = ana.say("[]").await.expect_err("the fifth");
    assert_eq!((ended.close, ended.retry_after_ms), (Close::Malformed, Some(MEND_MS)));
}

#[tokio::test]
async fn a_flood_is_told_to_slow_down_and_then_closed() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    let mut ended = None;
    for _ in 0..1_000 {
        if let Err(why) = ana.say(r#"{"t":"typing","room":1}"#).await {
            ended = Some(why.close);
            break;
        }
    }
    assert_eq!(ended, Some(Close::RateLimited));
    assert_eq!(refusal(&mut ana).await.0, Code::RateLimited, "told before it was closed");
}

#[tokio::test]
async fn leaving_ends_the_sockets_of_the_session_on_every_instance() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    let mut biel = b.guest("Biel").await;
    let hash = crate::Token::hash_of(ana.token.reveal()).expect("a token has a hash");
    b.chat.leave(hash).await.expect("left on the other instance");
    let ended = loop {
        match ana.next().await {
            Ok(_) => {}
            Err(ended) => break ended,
        }
    };
    assert_eq!(ended.close, Close::Revoked);
    assert_eq!(biel.post(LOBBY, "unharmed").await, 2);
    assert_eq!(a.chat.viewer(hash).await.expect("readable"), None);
}

#[tokio::test]
async fn an_answer_goes_to_the_one_who_asked_alone() {
    let cluster = Cluster::limited();
    let instance = &cluster.instances[0];
    let (mut ana, mut biel) = (instance.guest("Ana").await, instance.guest("Biel").await);
    biel.subscribe(LOBBY, None).await;
    ana.say(&send("")).await.expect("answered");
    refusal(&mut ana).await;
    let seq = ana.post(LOBBY, "seen").await;
    let heard = biel
        .until(|frame| match frame {
            ServerFrame::Entries { entries, .. } => Some(entries),
            ServerFrame::Error { .. } | ServerFrame::Nack { .. } | ServerFrame::Ack { .. } => {
                panic!("somebody else's answer: {frame:?}")
            }
            _ => None,
        })
        .await;
    assert_eq!(heard.last().map(|entry| entry.seq.0), Some(seq));
}

#[tokio::test]
async fn whoever_comes_in_while_the_instance_stops_is_sent_away_like_the_others() {
    let cluster = Cluster::of(1);
    let instance = &cluster.instances[0];
    let mut here = instance.guest("Ana").await;
    let (person, token) = instance.chat.enter("Bruno").await.unwrap();
    instance.chat.dismiss_all(Duration::from_secs(5));
    let late = Connection::open(instance.chat.clone(), person, Token::hash_of(token.reveal()).unwrap());
    // The welcome that waited is discarded with the rest.
    let ended = here.next().await.unwrap_err();
    assert_eq!(ended.close, Close::Restarting);
    assert_eq!(late.queue().ended().map(|ended| ended.close), Some(Close::Restarting));
}

#[tokio::test]
async fn whoever_left_before_their_socket_was_listened_to_is_told_at_hello() {
    let cluster = Cluster::of(2);
    let mut ana = cluster.instances[0].stranger("Ana").await;
    // The news of it is lost: nothing but the store knows.
    cluster.instances[0].bus.set_link(false);
    let hash = Token::hash_of(ana.token.reveal()).expect("a token has a hash");
    cluster.instances[1].chat.leave(hash).await.expect("she leaves");
    assert!(ana.queue.ended().is_none(), "premise: no news came");
    let ended = ana.say(r#"{"t":"hello","v":1}"#).await.expect_err("the session is gone");
    assert_eq!(ended.close, Close::Revoked);
}

#[tokio::test]
async fn nothing_is_told_before_the_welcome() {
    let cluster = Cluster::of(1);
    let chat = &cluster.instances[0].chat;
    let mut ana = cluster.instances[0].stranger("Ana").await;
    let mut biel = cluster.instances[0].guest("Biel").await;
    let (person, _) = chat.enter("Carla").await.expect("the name is fine");
    chat.create_room(&person, "Garden").await.expect("the room is made");
    biel.until(|frame| matches!(frame, ServerFrame::Room { .. }).then_some(())).await;
    ana.say(r#"{"t":"hello","v":1}"#).await.expect("hello is fine");
    let first = ana.next().await.expect("the conversation goes on");
    assert!(matches!(first, ServerFrame::Welcome { .. }), "{first:?}");
}
