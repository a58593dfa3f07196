//! The address people type, as browsers write it in `Origin`.

use std::fmt;

use super::{Reason, after_scheme, bracketed, host_and_port};

/// An origin: scheme, host and port. Its text equals what a browser sends as `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    /// In lower case, without brackets.
    host: String,
    /// Only where it is not the scheme's own.
    port: Option<u16>,
}

impl PublicUrl {
    /// Whether it is reached over TLS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// What a browser sends as `Host`: the host, and the port if it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = bracketed(&self.host);
        self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }

    pub(in super::super) fn parse(text: &str) -> Result<Self, Reason> {
        let (https, rest) = match (after_scheme(text, "https"), after_scheme(text, "http")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(None),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err(Some("it must not carry a name or a password"));
        }
        if rest.contains(['/', '?', '#']) {
            return Err(Some("it must end after the host and the port"));
        }
        if !rest.is_ascii() {
            return Err(Some("the host must be written in ASCII (xn--…)"));
        }
        let (host, port) = host_and_port(rest)?;
        let usual = if https { 443 } else { 80 };
        Ok(Self { https, host, port: port.filter(|port| *port != usual) })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }
}
