//! One example of everything that can be said, from one conversation: Ana and Bruno in the lobby.

use std::str::FromStr;

use uuid::Uuid;

use crate::entry::{Change, Entry, Person};
use crate::frame::{
    AdvertisedLimits, BusState, ClientFrame, Delete, Edit, Hello, History, Pull, React, Read, Send, ServerFrame,
    Subscribe, Typing, Unsubscribe,
};
use crate::ids::{Epoch, Key, Position, RoomId, Seq, UserId};
use crate::limits::PING_MS;
use crate::refusal::{Code, Refusal};
use crate::room::{RoomInfo, Snapshot};

pub(super) const LOBBY: RoomId = RoomId(1);
/// A moment of the conversation: 17 March 2026, 18:30 UTC.
const HALF_PAST_SIX: i64 = 1_773_772_200_000;

pub(super) fn ana() -> Person {
    Person { id: UserId(7), name: "Ana".to_owned() }
}

pub(super) fn bruno() -> Person {
    Person { id: UserId(8), name: "Bruno Carvalho".to_owned() }
}

pub(super) fn epoch() -> Epoch {
    Epoch("019cfd2b1e4a7c3f9a60d2e84b7715c0".to_owned())
}

/// Keys of one evening; `n` tells them apart.
pub(super) fn key(n: u8) -> Key {
    let text = format!("019cfd2b-4f10-7d2e-8a31-6b0c9f2e41{n:02x}");
    Key(Uuid::from_str(&text).expect("a well-formed example"))
}

pub(super) fn entry(seq: i64, by: Person, change: Change) -> Entry {
    let key = (!matches!(change, Change::Created)).then(|| key(u8::try_from(seq).expect("a small example")));
    Entry { seq: Seq(seq), at: HALF_PAST_SIX + seq * 4_000, by, key, change }
}

fn posted(body: &str, reply_to: Option<Seq>) -> Change {
    Change::Posted { body: body.to_owned(), reply_to }
}

/// The lobby's log: one entry of every kind this version knows, in an order that makes sense.
pub(super) fn entries() -> Vec<Entry> {
    let owned = str::to_owned;
    let changes = [
        (ana(), Change::Created),
        (bruno(), Change::Joined),
        (ana(), posted("Bona nit! Who brings the guitar on Friday?", None)),
        (bruno(), posted("I do. <b>Also</b> snacks & \"vi negre\" 🍷", Some(Seq(3)))),
        (bruno(), Change::Edited { message: Seq(4), body: owned("I do.\nAlso snacks.") }),
        (ana(), Change::Reacted { message: Seq(4), emoji: owned("🎸") }),
        (ana(), Change::Unreacted { message: Seq(4), emoji: owned("🎸") }),
        (bruno(), Change::Deleted { message: Seq(4) }),
        (ana(), Change::Renamed { name: owned("Friday tertúlia") }),
        (ana(), Change::TopicSet { topic: owned("Fridays at nine, bring a song") }),
        (ana(), Change::Removed { who: Person { id: UserId(9), name: owned("Spammer") } }),
        (bruno(), Change::Left),
    ];
    (1..).zip(changes).map(|(seq, (by, change))| entry(seq, by, change)).collect()
}

/// The word under which an entry travels. A new kind fails to compile here: give it an example above.
pub(super) const fn kind_of(change: &Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Posted { .. } => "posted",
        Change::Edited { .. } => "edited",
        Change::Deleted { .. } => "deleted",
        Change::Reacted { .. } => "reacted",
        Change::Unreacted { .. } => "unreacted",
        Change::Joined => "joined",
        Change::Left => "left",
        Change::Renamed { .. } => "renamed",
        Change::TopicSet { .. } => "topic_set",
        Change::Removed { .. } => "removed",
        Change::Unknown(_) => "unknown",
    }
}

pub(super) const ENTRY_KINDS: [&str; 11] = [
    "created",
    "joined",
    "posted",
    "edited",
    "reacted",
    "unreacted",
    "deleted",
    "renamed",
    "topic_set",
    "removed",
    "left",
];

/// Everything a client can say, with every optional field present.
pub(super) fn client() -> Vec<ClientFrame> {
    let react = || React { room: LOBBY, key: key(6), message: Seq(4), emoji: "🎸".to_owned() };
    let resume = vec![
        Position { room: LOBBY, epoch: epoch(), seq: Seq(3) },
        Position { room: RoomId(4), epoch: epoch(), seq: Seq(120) },
    ];
    vec![
        ClientFrame::Hello(Hello { v: 1, client: "tertulia-web 0.1.0".to_owned(), back: true, resume }),
        ClientFrame::Subscribe(Subscribe { room: LOBBY, after: Some(Seq(3)) }),
        ClientFrame::Unsubscribe(Unsubscribe { room: LOBBY }),
        ClientFrame::Send(Send {
            room: LOBBY,
            key: key(4),
            body: "I do. <b>Also</b> snacks & \"vi negre\" 🍷".to_owned(),
            reply_to: Some(Seq(3)),
        }),
        ClientFrame::Edit(Edit { room: LOBBY, key: key(5), message: Seq(4), body: "I do.\nAlso snacks.".to_owned() }),
        ClientFrame::Delete(Delete { room: LOBBY, key: key(8), message: Seq(4) }),
        ClientFrame::React(react()),
        ClientFrame::Unreact(React { key: key(7), ..react() }),
        ClientFrame::Pull(Pull { room: LOBBY, after: Seq(3), limit: 500 }),
        ClientFrame::History(History { room: LOBBY, before: Seq(3), limit: 50 }),
        ClientFrame::Typing(Typing { room: LOBBY }),
        ClientFrame::Read(Read { room: LOBBY, seq: Seq(4) }),
        ClientFrame::Ping,
    ]
}

/// The `t` of a client's frame. A new frame fails to compile here: give it an example above.
pub(super) const fn said_by_client(frame: &ClientFrame) -> &'static str {
    match frame {
        ClientFrame::Hello(_) => "hello",
        ClientFrame::Subscribe(_) => "subscribe",
        ClientFrame::Unsubscribe(_) => "unsubscribe",
        ClientFrame::Send(_) => "send",
        ClientFrame::Edit(_) => "edit",
        ClientFrame::Delete(_) => "delete",
        ClientFrame::React(_) => "react",
        ClientFrame::Unreact(_) => "unreact",
        ClientFrame::Pull(_) => "pull",
        ClientFrame::History(_) => "history",
        ClientFrame::Typing(_) => "typing",
        ClientFrame::Read(_) => "read",
        ClientFrame::Ping => "ping",
    }
}

pub(super) const CLIENT_KINDS: [&str; 13] = [
    "hello",
    "subscribe",
    "unsubscribe",
    "send",
    "edit",
    "delete",
    "react",
    "unreact",
    "pull",
    "history",
    "typing",
    "read",
    "ping",
];

/// Everything the server can say, each with a word that tells examples of one frame apart.
pub(super) fn server() -> Vec<(&'static str, ServerFrame)> {
    let log = entries();
    let busy = Refusal::new(Code::Busy, "The server is busy. Nothing was stored; try again.").retry_after(800);
    let too_long = Refusal::new(Code::TooLong, "The message is too long: at most 10,000 characters and 40,000 bytes.")
        .field("body")
        .limit(10_000);
    let limits = AdvertisedLimits::default();
    let bye = |code, reason: &str, retry_after_ms| ServerFrame::Bye { code, reason: reason.to_owned(), retry_after_ms };
    let ack = |duplicate| ServerFrame::Ack { key: key(4), room: LOBBY, seq: Seq(4), at: log[3].at, duplicate };
    let error =
        |to: &str, refusal| ServerFrame::Error { reference: Some(to.to_owned()), room: Some(RoomId(99)), refusal };
    let presence = |full, joined, left| ServerFrame::Presence { room: LOBBY, online: 2, full, joined, left };
    let reset = |reason: &str| ServerFrame::Reset {
        room: LOBBY,
        epoch: epoch(),
        after: Seq(2),
        seq: Seq(4),
        reason: reason.to_owned(),
    };
    vec![
        (
            "",
            ServerFrame::Welcome {
                conn: "a-17".to_owned(),
                epoch: epoch(),
                you: ana(),
                limits,
                ping_ms: PING_MS,
                bus: BusState::Live,
                instance: "a".to_owned(),
            },
        ),
        ("", ServerFrame::Subscribed { room: LOBBY, epoch: epoch(), seq: Seq(4) }),
        ("", ServerFrame::Unsubscribed { room: LOBBY }),
        ("", ServerFrame::Entries { room: LOBBY, entries: log[2..4].to_vec() }),
        ("", reset("epoch")),
        ("", ServerFrame::Page { room: LOBBY, before: Seq(3), entries: log[..2].to_vec() }),
        ("start", ServerFrame::Page { room: LOBBY, before: Seq(1), entries: Vec::new() }),
        ("", ack(false)),
        ("duplicate", ack(true)),
        ("", ServerFrame::Nack { key: key(4), refusal: too_long }),
        ("temporary", ServerFrame::Nack { key: key(4), refusal: busy }),
        ("", error("subscribe", Refusal::no_such_room())),
        ("resumed", error("hello", Refusal::no_such_room().field("resume[3].room"))),
        ("unreadable", ServerFrame::Error { reference: None, room: None, refusal: unreadable() }),
        ("", ServerFrame::Typing { room: LOBBY, who: bruno() }),
        ("full", presence(true, vec![ana(), bruno()], Vec::new())),
        ("", presence(false, Vec::new(), vec![Person { id: UserId(9), name: "Spammer".to_owned() }])),
        ("", ServerFrame::Room { room: lobby() }),
        ("", ServerFrame::Service { bus: BusState::Degraded }),
        ("", ServerFrame::Read { room: LOBBY, seq: Seq(4) }),
        ("", ServerFrame::Pong),
        ("", bye(1012, "the server restarts; come back", Some(1_500))),
        ("final", bye(4500, "signed out", None)),
    ]
}

fn unreadable() -> Refusal {
    match crate::codec::decode_client("{") {
        Err(undecodable) => undecodable.refusal,
        Ok(frame) => panic!("half an object was read as {frame:?}"),
    }
}

pub(super) fn lobby() -> RoomInfo {
    RoomInfo { id: LOBBY, slug: "chat".to_owned(), name: "Chat".to_owned(), topic: "Fridays at nine".to_owned() }
}

pub(super) fn snapshot() -> Snapshot {
    Snapshot { room: lobby(), epoch: epoch(), seq: Seq(4), entries: entries()[..4].to_vec() }
}

/// The `t` of a server's frame. A new frame fails to compile here: give it an example above.
pub(super) const fn said_by_server(frame: &ServerFrame) -> &'static str {
    match frame {
        ServerFrame::Welcome { .. } => "welcome",
        ServerFrame::Subscribed { .. } => "subscribed",
        ServerFrame::Unsubscribed { .. } => "unsubscribed",
        ServerFrame::Entries { .. } => "entries",
        ServerFrame::Reset { .. } => "reset",
        ServerFrame::Page { .. } => "page",
        ServerFrame::Ack { .. } => "ack",
        ServerFrame::Nack { .. } => "nack",
        ServerFrame::Error { .. } => "error",
        ServerFrame::Typing { .. } => "typing",
        ServerFrame::Presence { .. } => "presence",
        ServerFrame::Room { .. } => "room",
        ServerFrame::Service { .. } => "service",
        ServerFrame::Read { .. } => "read",
        ServerFrame::Pong => "pong",
        ServerFrame::Bye { .. } => "bye",
        ServerFrame::Unknown => "unknown",
    }
}

pub(super) const SERVER_KINDS: [&str; 16] = [
    "welcome",
    "subscribed",
    "unsubscribed",
    "entries",
    "reset",
    "page",
    "ack",
    "nack",
    "error",
    "typing",
    "presence",
    "room",
    "service",
    "read",
    "pong",
    "bye",
];

#[test]
fn there_is_an_example_of_everything_that_can_be_said() {
    let client: Vec<_> = client().iter().map(said_by_client).collect();
    assert_eq!(client, CLIENT_KINDS);
    let mut server: Vec<_> = server().iter().map(|(_, frame)| said_by_server(frame)).collect();
    server.dedup();
    assert_eq!(server, SERVER_KINDS);
    let mut kinds: Vec<_> = entries().iter().map(|entry| kind_of(&entry.change)).collect();
    kinds.dedup();
    assert_eq!(kinds, ENTRY_KINDS);
}
