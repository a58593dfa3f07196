//! What was typed and belongs to no flag. It is taken out before the command line is parsed, which would stop at the first
//! such word, so that one run names every mistake.

use std::ffi::OsString;

use super::command::{RESTORED, SERVE};
use super::error::{SettingError, Source};
use super::redact;
use super::suggest::nearest;
use super::table::SETTINGS;

/// Flags that are no settings, and take no value.
const OTHERS: [&str; 4] = ["--help", "-h", "--version", "-V"];

/// The arguments without what belongs to no flag, and a mistake for each that was taken out. The word after an unknown
/// flag is taken for its value, and may be a secret: it is not told.
pub(super) fn sort_out(args: &[OsString]) -> (Vec<OsString>, Vec<SettingError>) {
    let has_settings = args.get(1).is_some_and(|verb| verb == SERVE || verb == RESTORED);
    let (before, typed) = args.split_at(if has_settings { 2 } else { args.len() });
    let (mut kept, mut strays) = (before.to_vec(), Vec::new());
    let mut rest = typed.iter().peekable();
    while let Some(arg) = rest.next() {
        let word = arg.to_string_lossy();
        let (name, value) = word.split_once('=').map_or((&*word, None), |(name, value)| (name, Some(value)));
        if is_setting(name) {
            kept.push(arg.clone());
            kept.extend(rest.next_if(|_| value.is_none()).cloned());
        } else if OTHERS.contains(&&*word) {
            kept.push(arg.clone());
        } else if name.starts_with('-') {
            strays.push(unknown(name));
            rest.next_if(|next| value.is_none() && !is_flag(&next.to_string_lossy()));
        } else {
            strays.push(SettingError::stray(&word));
        }
    }
    (kept, strays)
}

fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.flag() == name)
}

/// Whether a word is a flag that is known. One that merely looks like a flag may be the secret before it.
fn is_flag(word: &str) -> bool {
    OTHERS.contains(&word) || is_setting(word.split('=').next().unwrap_or_default())
}

fn unknown(flag: &str) -> SettingError {
    let known = nearest(flag.trim_start_matches('-'), SETTINGS.iter().map(|setting| setting.name));
    let known = known.and_then(|name| SETTINGS.iter().find(|setting| setting.name == name));
    SettingError::unknown(Source::Flag(redact::printable(flag)), known.map(|setting| setting.flag()))
}
