//! The one place that reads the process's surroundings: arguments, environment, the file, the machine's name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Command, Settings, Stop, Surroundings, parse};

/// Largest file of settings, in bytes: every setting with a sentence of comment takes about 4 KiB.
const FILE_BYTES: u64 = 64 * 1024;

/// Where Linux tells the machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

impl Settings {
    /// What this process was asked to do.
    ///
    /// # Errors
    /// Help, version, a command line that cannot be understood, or all settings that cannot be used; see [`Stop`].
    pub fn from_process() -> Result<Command, Stop> {
        let env: Vec<_> = std::env::vars_os().collect();
        let host = read(Path::new(HOSTNAME_FILE)).ok().or_else(|| {
            let named = |name: &str| env.iter().find(|(key, _)| key == name);
            named("HOSTNAME").or_else(|| named("COMPUTERNAME")).map(|(_, value)| value.to_string_lossy().into_owned())
        });
        parse(&Surroundings {
            args: std::env::args_os().collect(),
            env,
            read_file: &read,
            host,
            pid: std::process::id(),
        })
    }
}

/// The name of the promise that this process is asked to break: by the variable `SABOTAGE`, which a release does not
/// look at.
#[must_use]
pub fn sabotage() -> Option<String> {
    if cfg!(debug_assertions) { std::env::var("SABOTAGE").ok() } else { None }
}

/// Reads a text of at most [`FILE_BYTES`]; more would be a mistake such as the path of a device.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 64 KiB"));
    }
    Ok(text)
}
