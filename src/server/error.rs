//! The one place where a refusal becomes an HTTP answer: `{code, message, field?, limit?, retry_after_ms?}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tertulia_protocol::{Code, Refusal};

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct HttpRefusal(pub(crate) Refusal);

impl HttpRefusal {
    /// The answer with another status than its code has elsewhere.
    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        let mut response = self.into_response();
        *response.status_mut() = status;
        response
    }
}

impl From<Refusal> for HttpRefusal {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for HttpRefusal {
    fn into_response(self) -> Response {
        let Self(refusal) = self;
        let retry = retry_after(&refusal).map(HeaderValue::from);
        let mut response = (status_of(refusal.code), Json(refusal)).into_response();
        if let Some(retry) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, retry);
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            // What a program can do about it (RFC 9110, section 15.5.2); browsers come with a cookie.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What `Retry-After` says of a refusal, in whole seconds, 1 at least.
pub(crate) fn retry_after(refusal: &Refusal) -> Option<u64> {
    refusal.retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1))
}

/// The HTTP status of a refusal.
pub(crate) const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Busy | Code::StorageUnavailable | Code::Uncertain => StatusCode::SERVICE_UNAVAILABLE,
        // Over HTTP bodies are told so (what else is says its own status); verbs that come later are refused on the socket.
        Code::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Malformed => StatusCode::BAD_REQUEST,
        Code::UnknownType
        | Code::MissingField
        | Code::BadField
        | Code::DuplicateField
        | Code::Already
        | Code::Empty
        | Code::BadChar
        | Code::BadName
        | Code::NameReserved
        | Code::Limit
        | Code::BadCursor
        | Code::Other => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
