//! Everything that can be said is heard as it was said, in both directions.

use proptest::prelude::*;
use uuid::Uuid;

use super::samples;
use crate::codec::{decode, decode_client, decode_server, encode, entries_frame};
use crate::entry::{Change, Entry, Person};
use crate::frame::{
    AdvertisedLimits, BusState, ClientFrame, Delete, Edit, Hello, History, Pull, React, Read, Send, ServerFrame,
    Subscribe, Typing, Unsubscribe,
};
use crate::ids::{Epoch, Key, Position, RoomId, Seq, UserId};
use crate::limits::INTEGER_MAX;
use crate::refusal::{Code, Refusal};
use crate::room::{RoomInfo, Snapshot};

/// Any text, of which much must be escaped.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), ".{0,20}", prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter)]
}

fn key() -> impl Strategy<Value = Key> {
    (1_u128..).prop_map(|bits| Key(Uuid::from_u128(bits)))
}

fn room() -> impl Strategy<Value = RoomId> {
    any::<i64>().prop_map(RoomId)
}

fn seq() -> impl Strategy<Value = Seq> {
    any::<i64>().prop_map(Seq)
}

fn cursor() -> impl Strategy<Value = Seq> {
    (1..=INTEGER_MAX).prop_map(Seq)
}

fn person() -> impl Strategy<Value = Person> {
    (any::<i64>(), text()).prop_map(|(id, name)| Person { id: UserId(id), name })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        prop::sample::select(vec![Change::Created, Change::Joined, Change::Left, Change::illegible()]),
        (text(), prop::option::of(seq())).prop_map(|(body, reply_to)| Change::Posted { body, reply_to }),
        (seq(), text()).prop_map(|(message, body)| Change::Edited { message, body }),
        seq().prop_map(|message| Change::Deleted { message }),
        (seq(), text()).prop_map(|(message, emoji)| Change::Reacted { message, emoji }),
        (seq(), text()).prop_map(|(message, emoji)| Change::Unreacted { message, emoji }),
        text().prop_map(|name| Change::Renamed { name }),
        text().prop_map(|topic| Change::TopicSet { topic }),
        person().prop_map(|who| Change::Removed { who }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (seq(), any::<i64>(), person(), prop::option::of(key()), change()).prop_map(|(seq, at, by, key, change)| Entry {
        seq,
        at,
        by,
        key,
        change,
    })
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let code = prop::sample::select([&Code::ALL[..], &[Code::Other]].concat());
    let number = || prop::option::of(any::<u64>());
    (code, text(), prop::option::of(text()), number(), number()).prop_map(
        |(code, message, field, limit, retry_after_ms)| Refusal {
            code,
            message: message.into(),
            field: field.map(Into::into),
            limit,
            retry_after_ms,
        },
    )
}

fn position() -> impl Strategy<Value = Position> {
    (room(), text(), cursor()).prop_map(|(room, epoch, seq)| Position { room, epoch: Epoch(epoch), seq })
}

fn client_frame() -> impl Strategy<Value = ClientFrame> {
    let react =
        || (room(), key(), seq(), text()).prop_map(|(room, key, message, emoji)| React { room, key, message, emoji });
    prop_oneof![
        ("[a-zA-Zé🍷/ ]{0,64}", any::<bool>(), prop::collection::vec(position(), 0..4))
            .prop_map(|(client, back, resume)| ClientFrame::Hello(Hello { v: 1, client, back, resume })),
        (room(), prop::option::of(cursor()))
            .prop_map(|(room, after)| ClientFrame::Subscribe(Subscribe { room, after })),
        room().prop_map(|room| ClientFrame::Unsubscribe(Unsubscribe { room })),
        (room(), key(), text(), prop::option::of(seq()))
            .prop_map(|(room, key, body, reply_to)| ClientFrame::Send(Send { room, key, body, reply_to })),
        (room(), key(), seq(), text()).prop_map(|(room, key, message, body)| ClientFrame::Edit(Edit {
            room,
            key,
            message,
            body
        })),
        (room(), key(), seq()).prop_map(|(room, key, message)| ClientFrame::Delete(Delete { room, key, message })),
        react().prop_map(ClientFrame::React),
        react().prop_map(ClientFrame::Unreact),
        (room(), cursor(), 1..i64::MAX).prop_map(|(room, after, limit)| ClientFrame::Pull(Pull { room, after, limit })),
        (room(), cursor(), 1..i64::MAX).prop_map(|(room, before, limit)| ClientFrame::History(History {
            room,
            before,
            limit
        })),
        room().prop_map(|room| ClientFrame::Typing(Typing { room })),
        (room(), cursor()).prop_map(|(room, seq)| ClientFrame::Read(Read { room, seq })),
        Just(ClientFrame::Ping),
    ]
}

fn welcome() -> impl Strategy<Value = ServerFrame> {
    (text(), text(), person(), any::<[u64; 5]>(), bus(), text()).prop_map(
        |(conn, epoch, you, [body_chars, body_bytes, frame_bytes, rooms, ping_ms], bus, instance)| {
            let limits = AdvertisedLimits { body_chars, body_bytes, frame_bytes, rooms };
            ServerFrame::Welcome { conn, epoch: Epoch(epoch), you, limits, ping_ms, bus, instance }
        },
    )
}

fn bus() -> impl Strategy<Value = BusState> {
    prop::sample::select(vec![BusState::Live, BusState::Degraded])
}

fn room_info() -> impl Strategy<Value = RoomInfo> {
    (room(), text(), text(), text()).prop_map(|(id, slug, name, topic)| RoomInfo { id, slug, name, topic })
}

fn server_frame() -> impl Strategy<Value = ServerFrame> {
    let entries = || prop::collection::vec(entry(), 0..4);
    let people = || prop::collection::vec(person(), 0..3);
    prop_oneof![
        welcome(),
        (room(), text(), seq()).prop_map(|(room, epoch, seq)| ServerFrame::Subscribed {
            room,
            epoch: Epoch(epoch),
            seq
        }),
        room().prop_map(|room| ServerFrame::Unsubscribed { room }),
        (room(), entries()).prop_map(|(room, entries)| ServerFrame::Entries { room, entries }),
        (room(), text(), seq(), seq(), text()).prop_map(|(room, epoch, after, seq, reason)| ServerFrame::Reset {
            room,
            epoch: Epoch(epoch),
            after,
            seq,
            reason
        }),
        (room(), seq(), entries()).prop_map(|(room, before, entries)| ServerFrame::Page { room, before, entries }),
        (key(), room(), seq(), any::<i64>(), any::<bool>())
            .prop_map(|(key, room, seq, at, duplicate)| ServerFrame::Ack { key, room, seq, at, duplicate }),
        (key(), refusal()).prop_map(|(key, refusal)| ServerFrame::Nack { key, refusal }),
        (prop::option::of(text()), prop::option::of(room()), refusal())
            .prop_map(|(reference, room, refusal)| ServerFrame::Error { reference, room, refusal }),
        (room(), person()).prop_map(|(room, who)| ServerFrame::Typing { room, who }),
        (room(), any::<u64>(), any::<bool>(), people(), people()).prop_map(|(room, online, full, joined, left)| {
            ServerFrame::Presence { room, online, full, joined, left }
        }),
        room_info().prop_map(|room| ServerFrame::Room { room }),
        bus().prop_map(|bus| ServerFrame::Service { bus }),
        (room(), seq()).prop_map(|(room, seq)| ServerFrame::Read { room, seq }),
        (any::<u16>(), text(), prop::option::of(any::<u64>()))
            .prop_map(|(code, reason, retry_after_ms)| ServerFrame::Bye { code, reason, retry_after_ms }),
        prop::sample::select(vec![ServerFrame::Pong, ServerFrame::Unknown]),
    ]
}

proptest! {
    #[test]
    fn the_server_hears_what_a_client_says(frame in client_frame()) {
        prop_assert_eq!(decode_client(&encode(&frame)), Ok(frame));
    }

    #[test]
    fn a_client_hears_what_the_server_says(frame in server_frame()) {
        prop_assert_eq!(decode_server(&encode(&frame)), Ok(frame));
    }

    #[test]
    fn an_entry_and_a_snapshot_are_read_as_they_were_written(
        room in room_info(), epoch in text(), seq in seq(), entries in prop::collection::vec(entry(), 0..4),
    ) {
        for entry in &entries {
            prop_assert_eq!(decode::<Entry>(&encode(entry)), Ok(entry.clone()));
        }
        let snapshot = Snapshot { room, epoch: Epoch(epoch), seq, entries };
        prop_assert_eq!(serde_json::from_str::<Snapshot>(&encode(&snapshot)).ok(), Some(snapshot));
    }

    #[test]
    fn a_frame_of_encoded_entries_is_the_encoded_frame(room in room(), entries in prop::collection::vec(entry(), 0..5)) {
        let encoded: Vec<String> = entries.iter().map(encode).collect();
        let frame = entries_frame(room, encoded.iter().map(String::as_str));
        prop_assert_eq!(frame, encode(&ServerFrame::Entries { room, entries }));
    }
}

#[test]
fn every_example_is_heard_as_it_was_said() {
    for frame in samples::client() {
        assert_eq!(decode_client(&encode(&frame)), Ok(frame));
    }
    for (_, frame) in samples::server() {
        assert_eq!(decode_server(&encode(&frame)), Ok(frame));
    }
    for entry in samples::entries() {
        assert_eq!(decode::<Entry>(&encode(&entry)), Ok(entry));
    }
}
