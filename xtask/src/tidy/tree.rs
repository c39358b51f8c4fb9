//! The files that the rules read, and the problems that they find.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A text file of the repository.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// Empty for a binary file.
    pub(super) text: String,
}

impl File {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the name ends in one of `extensions` (without the dot).
    pub(super) fn is(&self, extensions: &[&str]) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// Lines with their numbers from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(super) fn problem(
        &self,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Problem {
        Problem { path: self.path.clone(), line, rule, message: message.into() }
    }
}

/// All files of the repository.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut files = Vec::new();
        for path in workspace.files()? {
            let bytes = fs::read(workspace.root.join(&path)).with_context(|| path.clone())?;
            files.push(File { path, text: String::from_utf8(bytes).unwrap_or_default() });
        }
        Ok(Self { files })
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file or a folder that holds one.
    pub(super) fn has(&self, path: &str) -> bool {
        path.is_empty()
            || self.files.iter().any(|file| {
                file.path
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// Files with one of `extensions`.
    pub(super) fn with(&self, extensions: &[&str]) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.is(extensions))
    }
}

/// A broken rule, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.message)
    }
}

/// Runs `rule` on files given as `(path, text)` and returns the lines it would print.
#[cfg(test)]
pub(super) fn found(rule: super::Rule, files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    let mut problems = Vec::new();
    rule(&Tree { files }, &mut problems);
    problems.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::{File, Tree};

    #[test]
    fn a_tree_has_files_and_their_folders() {
        let file = File { path: "docs/a/b.md".to_owned(), text: String::new() };
        assert!(file.is(&["rs", "md"]) && !file.is(&["rs"]));
        let tree = Tree { files: vec![file] };
        for (path, expect) in [
            ("docs/a/b.md", true),
            ("docs/a", true),
            ("", true),
            ("docs/a/b", false),
            ("do", false),
        ] {
            assert_eq!(tree.has(path), expect, "{path}");
        }
    }

    #[test]
    fn a_problem_names_its_place() {
        let file = File { path: "a.rs".to_owned(), text: String::new() };
        assert_eq!(file.problem(3, "rule", "message").to_string(), "a.rs:3: rule: message");
    }
}
