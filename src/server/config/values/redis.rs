//! Where Redis is. The URL may carry a password, so it prints without it.

use std::fmt;
use std::net::IpAddr;

use super::{Reason, Secret, after_scheme, bracketed, host_and_port};
use crate::server::config::redact::MASK;

/// The port Redis listens on unless told otherwise.
const REDIS_PORT: u16 = 6379;

/// Longest URL, in bytes: a password of 128 random bytes in hexadecimal and a host of 253 fit four times.
const URL_BYTES: usize = 2048;

const ESCAPE: Reason = Some("in a name or password, write / as %2F, ? as %3F, # as %23, @ as %40, % as %25");

/// The address of a Redis. `Debug` and `Display` show host, port and database, never the password.
#[derive(Clone)]
pub struct RedisUrl {
    url: Secret,
    host: String,
    port: u16,
    database: u16,
    password: bool,
}

impl RedisUrl {
    /// The whole URL with its password, for the one place that opens the connection.
    #[must_use]
    pub const fn url(&self) -> &Secret {
        &self.url
    }

    /// `host:port`, which may be printed.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }

    /// Whether it can be reached from other machines and asks for no password: whoever finds it reads every chat.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        !self.password && !self.is_loopback()
    }

    fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<IpAddr>().map(|ip| ip.to_canonical().is_loopback());
        ip.unwrap_or_else(|_| self.host == "localhost" || self.host.ends_with(".localhost"))
    }

    pub(in super::super) fn parse(text: &str) -> Result<Self, Reason> {
        if after_scheme(text, "rediss").is_some() {
            return Err(Some("this version does not speak TLS to Redis"));
        }
        let rest = after_scheme(text, "redis").ok_or(None)?;
        if text.len() > URL_BYTES {
            return Err(Some("the URL is longer than 2048 bytes"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Some("spaces and characters beyond ASCII must be written as %XX"));
        }
        let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
        if let Some(login) = login {
            check_login(login)?;
        }
        if place.contains(['?', '#']) {
            return Err(Some("options after '?' or '#' are not understood"));
        }
        let (place, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = host_and_port(place)?;
        let database = if database.is_empty() { Some(0) } else { digits(database) };
        let database = database.ok_or(Some("the database after '/' must be a number from 0 to 65535"))?;
        let url = Secret::new(text.to_owned());
        Ok(Self { url, host, port: port.unwrap_or(REDIS_PORT), database, password: login.is_some() })
    }
}

/// `user:password` or `:password`. An empty password is refused: it is what a template with an unset variable
/// leaves behind, and would be sent as no password at all.
fn check_login(login: &str) -> Result<(), Reason> {
    let Some((_, password)) = login.split_once(':') else {
        return Err(Some("what stands before '@' must be user:password or :password"));
    };
    if password.is_empty() {
        return Err(Some("the password is empty"));
    }
    let escaped = login.split('%').skip(1).all(|part| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    if login.contains(['/', '?', '#', '@', '[', ']']) || !escaped { Err(ESCAPE) } else { Ok(()) }
}

fn digits(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.password { format!("{MASK}@") } else { String::new() };
        write!(f, "redis://{login}{}/{}", self.address(), self.database)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
