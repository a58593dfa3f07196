//! What is known of a frame that is refused: by this its answer names it.

use tertulia_protocol::codec::Undecodable;
use tertulia_protocol::{ClientFrame, Key, Refusal, RoomId};

/// What a frame asked for, as far as it could be read.
pub(super) struct Asked {
    /// The key of the action, if it is one.
    pub(super) key: Option<Key>,
    /// The frame's `t`.
    pub(super) kind: Option<String>,
    /// The room it is about; none for `hello`, which is about many.
    pub(super) room: Option<RoomId>,
}

impl Asked {
    /// What a frame asks for.
    pub(super) fn by(frame: &ClientFrame) -> Self {
        let (key, kind, room) = match frame {
            ClientFrame::Hello(_) => (None, "hello", None),
            ClientFrame::Subscribe(subscribe) => (None, "subscribe", Some(subscribe.room)),
            ClientFrame::Unsubscribe(unsubscribe) => (None, "unsubscribe", Some(unsubscribe.room)),
            ClientFrame::Send(send) => (Some(send.key), "send", Some(send.room)),
            ClientFrame::Edit(edit) => (Some(edit.key), "edit", Some(edit.room)),
            ClientFrame::Delete(delete) => (Some(delete.key), "delete", Some(delete.room)),
            ClientFrame::React(react) => (Some(react.key), "react", Some(react.room)),
            ClientFrame::Unreact(react) => (Some(react.key), "unreact", Some(react.room)),
            ClientFrame::Pull(pull) => (None, "pull", Some(pull.room)),
            ClientFrame::History(history) => (None, "history", Some(history.room)),
            ClientFrame::Typing(typing) => (None, "typing", Some(typing.room)),
            ClientFrame::Read(read) => (None, "read", Some(read.room)),
            ClientFrame::Ping => (None, "ping", None),
        };
        Self { key, kind: Some(kind.to_owned()), room }
    }
}

/// What a frame that could not be understood asked for, and why it was not.
pub(super) fn of_undecodable(undecodable: Undecodable) -> (Asked, Refusal) {
    let Undecodable { kind, key, room, refusal } = undecodable;
    (Asked { key, kind, room }, refusal)
}
