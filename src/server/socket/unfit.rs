//! Why a request is no handshake of a WebSocket, said like any other refusal.

use axum::extract::ws::rejection::WebSocketUpgradeRejection as Rejection;
use axum::http::header::{ALLOW, HeaderName, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tertulia_protocol::{Code, Refusal};

use crate::server::error::HttpRefusal;

/// The version of RFC 6455.
const VERSION: &str = "13";

/// The answer to a request that cannot become a WebSocket.
#[derive(Debug)]
pub(crate) struct Unfit(Box<Response>);

impl Unfit {
    fn new(status: StatusCode, code: Code, sentence: String, field: &'static str) -> Self {
        let refusal = Refusal::new(code, sentence).field(field);
        Self(Box::new(HttpRefusal(refusal).with_status(status)))
    }

    /// Names what would do instead, where HTTP has a header for that.
    fn instead(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    fn malformed(field: &'static str, due: &str) -> Self {
        let sentence = format!("No handshake of a WebSocket: the header {field} must be {due}.");
        Self::new(StatusCode::BAD_REQUEST, Code::Malformed, sentence, field)
    }

    /// Without a proper key.
    pub(super) fn key() -> Self {
        Self::malformed("sec-websocket-key", "there once, with 16 bytes in base64")
    }

    /// With subprotocols of which none is `protocol`.
    pub(super) fn protocol(protocol: &str) -> Self {
        let sentence = format!("Of subprotocols only {protocol} is spoken here; offer it, or none.");
        Self::new(StatusCode::BAD_REQUEST, Code::Unsupported, sentence, "sec-websocket-protocol")
    }
}

impl From<Rejection> for Unfit {
    /// What axum found, in our words.
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::InvalidConnectionHeader(_) => Self::malformed("connection", "Upgrade"),
            Rejection::InvalidUpgradeHeader(_) => Self::malformed("upgrade", "websocket"),
            Rejection::WebSocketKeyHeaderMissing(_) => Self::key(),
            Rejection::InvalidWebSocketVersionHeader(_) => {
                let sentence = format!("Of versions of WebSocket only {VERSION} is spoken here.");
                Self::new(StatusCode::UPGRADE_REQUIRED, Code::Unsupported, sentence, "sec-websocket-version")
                    .instead(SEC_WEBSOCKET_VERSION, VERSION)
            }
            Rejection::MethodNotGet(_) => {
                let sentence = "A WebSocket is opened with GET.".to_owned();
                Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, sentence, "method").instead(ALLOW, "GET")
            }
            // A connection that cannot be upgraded: HTTP/1.0.
            _ => {
                let sentence = "A WebSocket takes a connection of HTTP/1.1.".to_owned();
                Self::new(StatusCode::UPGRADE_REQUIRED, Code::Unsupported, sentence, "upgrade")
                    .instead(UPGRADE, "websocket")
            }
        }
    }
}

impl IntoResponse for Unfit {
    fn into_response(self) -> Response {
        *self.0
    }
}
