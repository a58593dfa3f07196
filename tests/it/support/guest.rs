//! Somebody who came in by the form, and can use every door with the cookie.

use tertulia_protocol::{Key, RoomId};

use super::http::{Answer, Door, Request};
use super::socket::Socket;

/// A guest at one door of the house.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) door: Door,
    /// `name=value`, as a browser sends it.
    pub(crate) cookie: String,
}

impl Guest {
    pub(crate) async fn enter(door: &Door, name: &str) -> Self {
        let answer = Request::post("/enter", &[("name", name)]).header("origin", &door.origin).send(door).await;
        assert_eq!(answer.location(), "/r/chat", "a guest is let into the lobby");
        let cookie = answer.header("set-cookie").expect("a session");
        let cookie = cookie.split(';').next().expect("a cookie has a value").to_owned();
        Self { door: door.clone(), cookie }
    }

    /// The same browser at another instance.
    pub(crate) fn at(&self, door: &Door) -> Self {
        Self { door: door.clone(), cookie: self.cookie.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Request::get(path).header("cookie", &self.cookie).send(&self.door).await
    }

    /// Sends a form as a page of ours would.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = Request::post(path, fields).header("cookie", &self.cookie).header("origin", &self.door.origin);
        form.send(&self.door).await
    }

    /// Says frames in a request, as a page of ours would: one, or an array of them.
    pub(crate) async fn says(&self, frames: &str) -> Answer {
        let request = Request::new("POST", "/live").header("content-type", "application/json");
        let request = request.header("cookie", &self.cookie).header("origin", &self.door.origin);
        request.body(frames.as_bytes().to_vec()).send(&self.door).await
    }

    /// Sends a text in a request, and waits for the ack: the number.
    pub(crate) async fn tells(&self, room: RoomId, body: &str) -> i64 {
        let body = serde_json::to_string(body).expect("text is JSON");
        let answer = self.says(&format!(r#"{{"t":"send","room":{room},"key":"{}","body":{body}}}"#, Key::mint())).await;
        assert_eq!((answer.status, &answer.json()[0]["t"]), (200, &"ack".into()), "{answer:?}");
        answer.json()[0]["seq"].as_i64().expect("a number")
    }

    /// Opens the socket and says hello.
    pub(crate) async fn socket(&self) -> Socket {
        let mut socket = Socket::open(self).await;
        socket.hello("").await;
        socket
    }
}
