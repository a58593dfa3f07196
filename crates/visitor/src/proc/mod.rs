//! Processor time and memory of a process, and who holds a connection, from `/proc` (proc(5)).

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::trouble::{Because, Outcome, Trouble};

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Everything resident (`VmRSS`).
    pub rss: u64,
    /// What is neither file nor shared (`RssAnon`): what sockets and sessions cost.
    pub anonymous: u64,
}

/// User and system time of a process so far. Ticks of 10 ms: exact enough over seconds.
///
/// # Errors
/// When the process is gone.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).because(&path)?;
    let ticks = ticks_of(&stat).ok_or_else(|| Trouble(format!("{path} has another form")))?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// `utime` + `stime`, fields 14 and 15. The name in field 2 may hold spaces and brackets: count from its end.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Memory of a process now.
///
/// # Errors
/// When the process is gone.
pub fn memory(pid: u32) -> Outcome<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).because(&path)?;
    memory_of(&status).ok_or_else(|| Trouble(format!("{path} has no VmRSS or RssAnon")))
}

fn memory_of(status: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(Memory { rss: field("VmRSS")?, anonymous: field("RssAnon")? })
}

/// Whether the server at this port of this machine still holds the connection of a client's port: the kernel tells, also
/// while the client takes nothing and so learns nothing.
///
/// # Errors
/// When the kernel does not tell.
pub fn is_held(server: u16, client: u16) -> Outcome<bool> {
    const TABLE: &str = "/proc/net/tcp";
    let table = std::fs::read_to_string(TABLE).because(TABLE)?;
    Ok(holds(&table, server, client))
}

/// `sl local_address rem_address st …`, addresses as `0100007F:0BB8`; state 01 is an open connection of both sides.
fn holds(table: &str, server: u16, client: u16) -> bool {
    let port = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().take(4).collect();
        matches!(fields[..], [_, local, remote, "01"] if port(local) == Some(server) && port(remote) == Some(client))
    })
}
