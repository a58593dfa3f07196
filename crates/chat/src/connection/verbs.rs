//! What a greeted client asks for.

use tertulia_protocol::frame::{History, Pull, Send};
use tertulia_protocol::{ClientFrame, Code, Key, Refusal, RoomId, ServerFrame};

use super::Connection;

impl Connection {
    /// Does what a frame asks. Every answer goes to this client alone.
    pub(super) async fn obey(&mut self, frame: ClientFrame) {
        match frame {
            // The greeting is handled before; a greeted client cannot reach this arm.
            ClientFrame::Hello(_) => {}
            ClientFrame::Subscribe(subscribe) => self.subscribe(subscribe).await,
            ClientFrame::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe.room),
            ClientFrame::Send(send) => self.send(send).await,
            ClientFrame::Edit(edit) => self.not_yet(edit.key, "edit"),
            ClientFrame::Delete(delete) => self.not_yet(delete.key, "delete"),
            ClientFrame::React(react) => self.not_yet(react.key, "react"),
            ClientFrame::Unreact(react) => self.not_yet(react.key, "unreact"),
            ClientFrame::Pull(pull) => self.pull(pull).await,
            ClientFrame::History(history) => self.history(history).await,
            ClientFrame::Typing(typing) => self.typing(typing.room).await,
            ClientFrame::Read(read) => {
                let refusal = Refusal::new(Code::Unsupported, "This server does not keep read markers yet.").field("t");
                self.error("read", Some(read.room), refusal);
            }
            ClientFrame::Ping => {
                self.queue.push_frame(&ServerFrame::Pong);
            }
        }
    }

    async fn send(&self, send: Send) {
        let member = self.rooms.get(&send.room).map(|followed| followed.member.clone());
        self.lane.take(member, send).await;
    }

    /// The log has entries for these and every client folds them; the verbs come with a later version.
    fn not_yet(&self, key: Key, verb: &str) {
        let refusal =
            Refusal::new(Code::Unsupported, format!("This server does not know how to {verb} yet.")).field("t");
        self.queue.push_frame(&ServerFrame::Nack { key, refusal });
    }

    async fn pull(&self, pull: Pull) {
        // A page like any other: many that were asked for in one breath wait for each other.
        let _turn = self.queue.paging_turn().await;
        let outcome = match self.member(pull.room).await {
            Ok(member) => self.chat.pull(&member, pull.after, pull.limit).await,
            Err(refusal) => Err(refusal),
        };
        match outcome {
            Ok(entries) => {
                self.queue.push_frame(&ServerFrame::Entries { room: pull.room, entries });
            }
            Err(refusal) => self.error("pull", Some(pull.room), refusal),
        }
    }

    async fn history(&self, history: History) {
        let History { room, before, limit } = history;
        let _turn = self.queue.paging_turn().await;
        let outcome = match self.member(room).await {
            Ok(member) => self.chat.history(&member, before, limit).await,
            Err(refusal) => Err(refusal),
        };
        match outcome {
            Ok(entries) => {
                self.queue.push_frame(&ServerFrame::Page { room, before, entries });
            }
            Err(refusal) => self.error("history", Some(room), refusal),
        }
    }

    async fn typing(&mut self, room: RoomId) {
        // Said too often it is dropped without an answer: the others lose nothing, and nobody waits for one.
        if !self.budget.may_show_typing(&self.chat, self.person.id) {
            return;
        }
        match self.member(room).await {
            Ok(member) => self.chat.typing(&member, self.id),
            Err(refusal) => self.error("typing", Some(room), refusal),
        }
    }
}
