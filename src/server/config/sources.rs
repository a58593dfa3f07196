//! Which text is in force for each setting, and where it was said: flag, then variable, then file. What is never in
//! force is not judged, but a name nobody knows always is.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::ReadFile;
use super::error::{SettingError, Source};
use super::file;
use super::redact::quoted;
use super::suggest::nearest;
use super::table::{Id, PORT_ALIAS, PREFIX, SETTINGS};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "tertulia.toml";

/// A text somebody gave.
pub(super) struct Given {
    pub(super) text: String,
    pub(super) source: Source,
}

/// What was found, the strongest source first to come.
#[derive(Default)]
pub(super) struct Found {
    given: BTreeMap<Id, Given>,
    pub(super) file: Option<PathBuf>,
    pub(super) errors: Vec<SettingError>,
}

impl Found {
    /// Gathers everything, beside what was already found to be a mistake.
    pub(super) fn gather(
        strays: Vec<SettingError>,
        matches: &ArgMatches,
        env: &[(OsString, OsString)],
        read_file: ReadFile<'_>,
    ) -> Self {
        let mut found = Self { errors: strays, ..Self::default() };
        found.flags(matches);
        found.variables(env);
        found.file(read_file);
        found
    }

    /// What is in force for this setting, if anybody said something.
    pub(super) fn get(&self, id: Id) -> Option<&Given> {
        self.given.get(&id)
    }

    /// Keeps the text unless a stronger source has spoken.
    pub(super) fn offer(&mut self, id: Id, text: String, source: Source) {
        self.given.entry(id).or_insert(Given { text, source });
    }

    fn flags(&mut self, matches: &ArgMatches) {
        for setting in &SETTINGS {
            let Some(values) = matches.get_raw(setting.name) else { continue };
            let source = Source::Flag(setting.flag());
            match values.map(OsStr::to_str).collect::<Option<Vec<_>>>() {
                Some(texts) => self.offer(setting.id, texts.join(","), source),
                None => self.errors.push(not_utf8(source)),
            }
        }
    }

    fn variables(&mut self, env: &[(OsString, OsString)]) {
        let in_kubernetes = env.iter().any(|(name, _)| name == "KUBERNETES_SERVICE_HOST");
        for (name, value) in env {
            // An empty variable is what `NAME=${OTHER:-}` leaves behind: it says nothing.
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) && !value.is_empty()) else {
                continue;
            };
            if in_kubernetes && announces_a_service(name, value) {
                continue;
            }
            let source = Source::Variable(name.to_owned());
            match (SETTINGS.iter().find(|setting| setting.variable() == name), value.to_str()) {
                (Some(setting), Some(text)) => self.offer(setting.id, text.to_owned(), source),
                (Some(_), None) => self.errors.push(not_utf8(source)),
                (None, _) => {
                    let known = nearest(&name[PREFIX.len()..], SETTINGS.iter().map(|setting| setting.name));
                    let known = known.map(|name| format!("{PREFIX}{}", name.to_ascii_uppercase()));
                    self.errors.push(SettingError::unknown(source, known));
                }
            }
        }
        let alias = env.iter().find(|(name, value)| name == PORT_ALIAS && !value.is_empty());
        if let Some((_, value)) = alias {
            self.offer(Id::Port, value.to_string_lossy().into_owned(), Source::Variable(PORT_ALIAS.to_owned()));
        }
    }

    fn file(&mut self, read_file: ReadFile<'_>) {
        let named = self.get(Id::Config).map(|given| (PathBuf::from(&given.text), given.source.clone()));
        let (path, named_by) = named.map_or_else(|| (PathBuf::from(DEFAULT_FILE), None), |(path, by)| (path, Some(by)));
        match read_file(&path) {
            Ok(text) => {
                file::read(&path, &text, self);
                self.file = Some(path);
            }
            Err(error) if named_by.is_none() && error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.errors.push(cannot_read(&path, named_by, &error)),
        }
    }
}

fn cannot_read(path: &Path, named_by: Option<Source>, error: &std::io::Error) -> SettingError {
    let source = named_by.unwrap_or_else(|| Source::File { path: path.to_owned(), line: None, key: None });
    let value = Some(quoted(&path.to_string_lossy()));
    let problem = format!("{error}; allowed is {}", Id::Config.setting().allowed());
    SettingError { source_of: source, value, problem }
}

fn not_utf8(source: Source) -> SettingError {
    SettingError::other(source, "the value is not UTF-8".to_owned())
}

/// Kubernetes tells every container about every service in variables named after the service. One that is called
/// `tertulia` thus sets `TERTULIA_PORT=tcp://10.0.0.7:80` and a dozen more, which nobody meant as a setting.
fn announces_a_service(name: &str, value: &OsStr) -> bool {
    let address = value.to_string_lossy();
    let is_setting = SETTINGS.iter().any(|setting| setting.variable() == name);
    let is_address = name.ends_with("_PORT") && address.contains("://");
    let is_detail = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part));
    is_address || (is_detail && !is_setting)
}
