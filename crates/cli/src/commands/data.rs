//! `kiln data`.

use crate::arguments::{DataArguments, DataCommand};
use crate::output::say;
use kiln_data::synth::{Rendered, SynthSpec, write};
use kiln_data::{Description, ImageFolder, Layout, describe};
use kiln_trainer::Error;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn data(arguments: &DataArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        DataCommand::Describe { folder, json } => describe_folder(folder, *json),
        DataCommand::Synth { folder, train, val, classes, side, seed } => {
            let spec =
                SynthSpec { train: *train, val: *val, classes: *classes, side: *side, seed: *seed };
            let done = match write(&spec, folder).map_err(Error::from)? {
                Rendered::Fresh => "rendered",
                Rendered::Reused => "already there:",
            };
            say(format!("{done} {train} + {val} pictures in {}", folder.display()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn describe_folder(folder: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let splits = match ImageFolder::open(folder).map_err(Error::from)?.into_layout() {
        Layout::Separate { train, val } => vec![("train", train), ("val", val)],
        Layout::Whole(whole) => vec![("whole", whole)],
    };
    let described: Vec<(&str, Description)> =
        splits.iter().map(|(name, listing)| (*name, describe(listing))).collect();
    if json {
        let splits: serde_json::Map<String, serde_json::Value> = described
            .iter()
            .map(|(name, split)| Ok(((*name).to_owned(), serde_json::to_value(split)?)))
            .collect::<serde_json::Result<_>>()?;
        say(serde_json::to_string_pretty(&splits)?);
    } else {
        for (name, split) in &described {
            print_description(name, split);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_description(name: &str, split: &Description) {
    let mebibytes = split.file_bytes as f64 / f64::from(1 << 20);
    say(format!(
        "{name}: {} pictures, {mebibytes:.1} MiB in {}",
        split.samples,
        split.root.display()
    ));
    for (side, range) in [("width", split.width), ("height", split.height)] {
        if let Some(range) = range {
            say(format!("  {side}: {} to {} px, median {}", range.min, range.max, range.median));
        }
    }
    let formats: Vec<String> =
        split.formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
    say(format!("  formats: {}", formats.join(", ")));
    say(format!("  classes: {}", split.classes.len()));
    for class in &split.classes {
        say(format!("    {:>7}  {}", class.samples, class.name));
    }
    say(format!("  broken: {}", split.broken.len()));
    for file in &split.broken {
        say(format!("    {}: {}", file.path.display(), file.why));
    }
}
