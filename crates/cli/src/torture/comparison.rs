//! What two runs must have in common: everything but time and memory.

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Fields that differ from one execution to the next.
const OF_THE_MACHINE: [&str; 7] = [
    "seconds",
    "images_per_second",
    "data_seconds",
    "checkpoint_seconds",
    "device_memory_bytes",
    "host_memory_bytes",
    "unix_seconds",
];

/// Fails on the first thing in which `run` differs from `whole`.
pub(super) fn compare(whole: &Path, run: &Path) -> anyhow::Result<()> {
    for file in ["metrics.jsonl", "evaluation.json"] {
        let [expected, found] = [whole, run].map(|run| records(&run.join(file)));
        let (expected, found) = (expected?, found?);
        if expected.len() != found.len() {
            bail!("{file} has {} records instead of {}", found.len(), expected.len());
        }
        for (number, (expected, found)) in expected.iter().zip(&found).enumerate() {
            if expected != found {
                bail!("{file}, record {}: {found} instead of {expected}", number + 1);
            }
        }
    }
    let [expected, found] = [whole, run].map(sets);
    let (expected, found) = (expected?, found?);
    let names = |sets: &[PathBuf]| -> Vec<_> {
        sets.iter().filter_map(|set| Some(set.file_name()?.to_owned())).collect()
    };
    if names(&expected) != names(&found) {
        bail!("checkpoints are {:?} instead of {:?}", names(&found), names(&expected));
    }
    for (expected, found) in expected.iter().zip(&found) {
        compare_sets(expected, found)?;
    }
    Ok(())
}

fn compare_sets(expected: &Path, found: &Path) -> anyhow::Result<()> {
    let count = |set: &Path| Ok::<_, std::io::Error>(std::fs::read_dir(set)?.count());
    if count(expected)? != count(found)? {
        bail!("{} has other files than {}", found.display(), expected.display());
    }
    for entry in std::fs::read_dir(expected)? {
        let name = entry?.file_name();
        let [expected, found] = [expected, found].map(|set| set.join(&name));
        let equal = match name.to_str() {
            // They name the folder of generated pictures, and files that do.
            Some("config.toml" | "origin.json" | "SHA256SUMS") => found.is_file(),
            Some("state.json") => records(&expected)? == records(&found)?,
            _ => std::fs::read(&expected)? == std::fs::read(&found)?,
        };
        if !equal {
            bail!("{} differs from {}", found.display(), expected.display());
        }
    }
    Ok(())
}

/// The values of a JSON file, one after the other, without what depends on the machine.
fn records(file: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    values.iter_mut().for_each(forget);
    Ok(values)
}

fn forget(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|name, _| !OF_THE_MACHINE.contains(&name.as_str()));
        fields.iter_mut().for_each(|(_, value)| forget(value));
    }
}

fn sets(run: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(run.join("checkpoints"))?;
    let mut sets: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    sets.sort();
    Ok(sets)
}
