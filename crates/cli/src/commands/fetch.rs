//! `kiln weights fetch` and `list`.

use crate::arguments::FetchArguments;
use crate::device::DeviceChoice;
use crate::fetch::{Download, Pretrained, all, find, folder};
use crate::output::{say, write_file};
use indicatif::{ProgressBar, ProgressStyle};
use kiln_models::{Layout, WeightsFile};
use kiln_trainer::{network_from, weights_bytes};
use std::path::{Path, PathBuf};
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

    say(with_card(&entry, &path)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes downloaded weights beside the download, under Kiln's names and with their card.
fn with_card(entry: &Pretrained, downloaded: &Path) -> anyhow::Result<PathBuf> {
    let card = entry.card();
    let file = WeightsFile::open(downloaded)?;
    let device = DeviceChoice::FLEX.open()?;
    let (network, _) = network_from(&file, &card, Some(entry.layout), &device)?;
    let output = downloaded.with_file_name(format!("{}.safetensors", entry.name));
    write_file(&output, &weights_bytes(&output, &network, &card, Layout::Torchvision)?)?;
    Ok(output)
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

#[cfg(test)]
mod tests {
    use super::with_card;
    use crate::fetch::find;
    use burn::tensor::Device;
    use kiln_models::{Layout, WeightsFile, in_layout, state_dict, to_safetensors};
    use kiln_trainer::card_in;

    #[test]
    fn what_was_downloaded_gets_our_names_and_a_card() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["tf_efficientnet_b0.in1k", "resnet18.tv_in1k"] {
            let entry = find(name).unwrap();
            let network = entry.model.build(1000, &Device::flex());
            // As the publisher names the tensors: residual networks the same everywhere.
            let layout = if name.starts_with("tf") { entry.layout } else { Layout::Torchvision };
            let tensors = in_layout(state_dict(&network), layout);
            let downloaded = folder.path().join(entry.file());
            std::fs::write(&downloaded, to_safetensors(&tensors, &[]).unwrap()).unwrap();
            let file = WeightsFile::open(&with_card(&entry, &downloaded).unwrap()).unwrap();
            assert_eq!(card_in(&file).unwrap(), Some(entry.card()));
            assert!(file.tensors.contains_key(network.first_weight()), "{name}");
        }
    }
}
