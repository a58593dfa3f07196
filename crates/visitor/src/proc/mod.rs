//! Processor time and memory of a process, from `/proc` (proc(5)).

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
