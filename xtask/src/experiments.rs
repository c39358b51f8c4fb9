//! The experiments: one for each `configs/NAME.toml`.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::nearest::nearest;
use crate::usage::COMMANDS;
use crate::workspace::Workspace;

/// An experiment as the usage text shows it.
#[derive(Debug)]
pub(crate) struct Experiment {
    pub(crate) name: String,
    /// The first comment line of its file.
    pub(crate) purpose: String,
}

/// All experiments, sorted by name.
pub(crate) fn list(workspace: &Workspace) -> Result<Vec<Experiment>> {
    let folder = workspace.root.join("configs");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        found.push(Experiment { name: name.to_owned(), purpose: purpose(&text).to_owned() });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The first comment line of a configuration.
fn purpose(text: &str) -> &str {
    text.lines()
        .find_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .unwrap_or_default()
}

/// The configuration of experiment `name`, as the current folder sees it.
pub(crate) fn config_path(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let experiments = list(workspace)?;
    if experiments.iter().all(|experiment| experiment.name != name) {
        let names: Vec<&str> =
            experiments.iter().map(|experiment| experiment.name.as_str()).collect();
        bail!(unknown(name, &names));
    }
    let path = PathBuf::from("configs").join(format!("{name}.toml"));
    // The short path reads better in messages; from a subfolder only the long one is right,
    // and the folder cannot be changed because `--data` is relative to it.
    let at_root = env::current_dir().is_ok_and(|current| current == workspace.root);
    Ok(if at_root { path } else { workspace.root.join(path) })
}

fn unknown(name: &str, experiments: &[&str]) -> String {
    let all = experiments.iter().copied().chain(COMMANDS.iter().map(|(command, _)| *command));
    let hint =
        nearest(name, all).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    let list = if experiments.is_empty() { "none".to_owned() } else { experiments.join(", ") };
    format!(
        "no experiment `{name}` in configs/{hint}\n  experiments: {list}\n  `cargo xtask help` lists them with their purpose"
    )
}

#[cfg(test)]
mod tests {
    use super::{purpose, unknown};

    #[test]
    fn the_purpose_is_the_first_comment() {
        assert_eq!(purpose("# Head only.\n# Run: cargo xtask a\nseed = 1\n"), "Head only.");
        assert_eq!(purpose("seed = 1\n"), "");
    }

    #[test]
    fn an_unknown_name_lists_what_exists_and_the_nearest() {
        let message = unknown("phase", &["phase1", "unfreeze"]);
        assert!(message.contains("did you mean `phase1`?"), "{message}");
        assert!(message.contains("experiments: phase1, unfreeze"), "{message}");
        assert!(unknown("tidi", &[]).contains("did you mean `tidy`?"));
        assert!(!unknown("something", &["phase1"]).contains("did you mean"));
    }
}
