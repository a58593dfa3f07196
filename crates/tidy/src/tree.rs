//! The project's files as the rules see them: read once from the disk, or made up by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::source::{self, Source};

/// All files, by their path from the root with `/` between its parts.
#[derive(Default)]
pub struct Tree {
    texts: BTreeMap<String, String>,
    /// Files and folders alike.
    paths: BTreeSet<String>,
    executables: BTreeSet<String>,
    sources: Vec<Source>,
}

impl Tree {
    /// Reads a folder, without what its `.gitignore` names.
    ///
    /// # Errors
    /// When a file or folder cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let ignored = fs::read_to_string(root.join(".gitignore"))?;
        let ignored: Vec<&str> = ignored.lines().chain([".git"]).filter(|line| !line.is_empty()).collect();
        let mut tree = Self::default();
        tree.read_folder(root, "", &ignored)?;
        Ok(tree.with_sources())
    }

    /// A tree of made-up files.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.note(path);
            tree.executables.insert((*path).to_owned());
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        tree.with_sources()
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str, ignored: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            let is_ignored = |rule: &&&str| **rule == name || rule.strip_prefix('/') == Some(path.as_str());
            if ignored.iter().any(|rule| is_ignored(&rule)) {
                continue;
            }
            let meta = entry.metadata()?;
            if meta.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"), ignored)?;
                continue;
            }
            self.note(&path);
            if meta.permissions().mode() & 0o111 != 0 {
                self.executables.insert(path.clone());
            }
            // Fonts and pictures are no text; they only exist.
            if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                self.texts.insert(path, text);
            }
        }
        Ok(())
    }

    /// Remembers a file and the folders it lies in.
    fn note(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        self.paths.extend(ends.map(|end| path[..end].to_owned()));
    }

    fn with_sources(mut self) -> Self {
        let rust = self.texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        self.sources = source::read_all(rust.map(|(path, text)| (path.as_str(), text.as_str())));
        self
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All files that are text, with their paths.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Whether there is such a file or folder.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// Whether whoever owns the file may run it.
    #[must_use]
    pub fn is_executable(&self, path: &str) -> bool {
        self.executables.contains(path)
    }

    /// The folders, without a slash at the end.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let inside = |folder: &str| {
            let first = format!("{folder}/");
            self.paths.range(first.clone()..).next().is_some_and(|path| path.starts_with(&first))
        };
        self.paths.iter().map(String::as_str).filter(move |path| inside(path))
    }

    /// The Rust files.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}
