//! How to reach Redis, checked once at the start. The password is in the URL, so the URL is never shown.

use std::fmt;
use std::time::Duration;

use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

/// Longest prefix and instance name, in bytes: with both, a channel's name stays under 160 bytes.
const NAME_BYTES: usize = 64;

/// First keepalive probe after this silence; the heartbeat is quicker, this frees what nobody reads.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Sent bytes that stay unacknowledged this long end the connection: two of the heartbeat's 6 s.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(12);

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user][:password@]host[:port][/db]`; never logged, never shown by `Debug`.
    pub url: String,
    /// What our channels begin with: 1 to 64 letters, digits, `-`, `_`, `.` or `:`. Two deployments with different
    /// prefixes share one Redis unheard by each other.
    pub prefix: String,
    /// This instance's name, spelled like the prefix and unique in the deployment.
    pub instance: String,
}

impl RedisSettings {
    /// Settings with the usual prefix, `tertulia`.
    #[must_use]
    pub fn new(url: impl Into<String>, instance: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: "tertulia".to_owned(), instance: instance.into() }
    }

    /// Checks everything that can be checked without the network.
    pub(super) fn client(&self) -> Result<Client, SettingsError> {
        check_name("prefix", &self.prefix)?;
        check_name("instance", &self.instance)?;
        // What the parser says is not passed on: it may quote the URL.
        let info = self.url.as_str().into_connection_info().map_err(|_| SettingsError::Url)?;
        Client::open(with_our_defaults(info)).map_err(|_| SettingsError::Url)
    }
}

fn with_our_defaults(info: ConnectionInfo) -> ConnectionInfo {
    // RESP2 keeps a subscriber's replies and its news apart by their shape.
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(USER_TIMEOUT);
    info.set_redis_settings(redis).set_tcp_settings(tcp)
}

fn check_name(field: &'static str, name: &str) -> Result<(), SettingsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(allowed) {
        return Err(SettingsError::Name { field });
    }
    Ok(())
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("url", &"(not shown)")
            .field("prefix", &self.prefix)
            .field("instance", &self.instance)
            .finish()
    }
}

/// Why settings can never work. Whatever may change by itself (unreachable, wrong password) is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The URL does not parse, or asks for what this build lacks (TLS).
    #[error("the Redis URL cannot be read; it looks like redis://[user][:password@]host[:port][/db], without TLS")]
    Url,
    /// A name could collide with the structure of channel names.
    #[error("the Redis {field} must be 1 to 64 letters, digits, '-', '_', '.' or ':'")]
    Name {
        /// Which one.
        field: &'static str,
    },
    /// A foreign channel that is none, or one of our own.
    #[error("a Redis channel must be 1 to 128 visible ASCII characters, and none of our own channels")]
    Channel,
}
