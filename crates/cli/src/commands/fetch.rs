//! `kiln weights fetch` and `list`.

use crate::arguments::FetchArguments;
use crate::device::DeviceName;
use crate::fetch::{Download, all, find, folder};
use crate::output::{say, write_file};
use indicatif::{ProgressBar, ProgressStyle};
use kiln_models::{Layout, WeightsFile};
use kiln_trainer::{network_from, weights_bytes};
use std::process::ExitCode;

/// Downloads, checks, and writes the weights with their card beside the download.
pub(crate) fn fetch(arguments: &FetchArguments) -> anyhow::Result<ExitCode> {
    let entry = find(&arguments.name)?;
    let folder = folder(arguments.cache.as_deref())?;
    let url = match &arguments.mirror {
        Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), entry.file()),
        None => entry.url.clone(),
    };
    let download =
        Download { url: &url, file: entry.file(), sha256: &entry.sha256, folder: &folder };
    // Draws on a terminal only.
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{bytes} of {total_bytes}  {eta} left") {
        bar.set_style(style);
    }
    let path = download.run(&mut |received, total| {
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(received);
    })?;
    bar.finish_and_clear();

    let card = entry.card();
    let file = WeightsFile::open(&path)?;
    let device = DeviceName::Flex.open()?;
    let (network, _) = network_from(&file, &card, Some(entry.layout), &device)?;
    let output = folder.join(format!("{}.safetensors", entry.name));
    write_file(&output, &weights_bytes(&output, &network, &card, Layout::Torchvision)?)?;
    say(output.display());
    Ok(ExitCode::SUCCESS)
}

/// Names of all weights that can be fetched, or of those that contain a text.
pub(crate) fn list(filter: Option<&str>) -> anyhow::Result<ExitCode> {
    for entry in all()? {
        if filter.is_none_or(|text| entry.name.contains(text)) {
            say(entry.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}
