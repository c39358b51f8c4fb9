//! `kiln grad-cam`.

use crate::arguments::GradCamArguments;
use crate::exit::Usage;
use crate::output::{complain, say};
use anyhow::Context as _;
use kiln_analysis::cam::{CamMethod, Explainer, explain};
use kiln_analysis::{ExplainedPicture, cam_page, metrics::Scored, png};
use kiln_trainer::{
    ModelCard, Outputs, RunDirectory, Silent, best_model, prepared_picture, validation_folder,
};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A picture to explain.
struct Asked {
    path: PathBuf,
    name: String,
    /// Its class, where it is known.
    label: Option<String>,
}

pub(crate) fn grad_cam(arguments: &GradCamArguments) -> anyhow::Result<ExitCode> {
    let (run, images) = arguments.paths.split_first().context("no run given")?;
    let (directory, _) = RunDirectory::open(run)?;
    let asked = pictures(arguments, &directory, images)?;
    if asked.is_empty() {
        let problem = "nothing to explain: name pictures, or ask for --best N or --worst N";
        return Err(Usage(problem.to_owned()).into());
    }
    let device = arguments.device.open()?;
    let (network, card) = best_model(&directory, &device)?;
    let explainer = Explainer::new(network, device.clone());
    let mut stage = stage(&explainer, arguments.layer.as_deref())?;
    let class = arguments.class.as_deref().map(|name| class(&card, name)).transpose()?;
    let method = CamMethod::from(arguments.method);
    let folder = arguments.output.clone().unwrap_or_else(|| directory.path().join("grad-cam"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;

    let (mut explained, mut rows, mut broken) = (Vec::new(), Vec::new(), None);
    for (number, Asked { path, name, label }) in asked.into_iter().enumerate() {
        let (picture, input) = match prepared_picture(&card, &device, &path) {
            Ok(prepared) => prepared,
            Err(error) => {
                // The others are still of use.
                complain(format!("error: {error}"));
                broken = Some(error);
                continue;
            }
        };
        // The same for all: evaluation has one size.
        let used = *stage.get_or_insert_with(|| explainer.last_telling_stage(input.clone()));
        let explanation = explain(&explainer, (picture, &input), method, used, class);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = folder.join(format!("{:03}-{stem}.png", number + 1));
        std::fs::write(&file, png(&explanation.overlay))
            .with_context(|| file.display().to_string())?;
        let class = card.class_names[explanation.class].clone();
        rows.push(json!({
            "path": path,
            "label": label,
            "class": class,
            "probability": explanation.probability,
            "deletion": explanation.trust.deletion_area(),
            "insertion": explanation.trust.insertion_area(),
            "overlay": file,
        }));
        if !arguments.json {
            say(format!(
                "{}: {class} {:.1} %, trust {:+.2}: {}",
                path.display(),
                100.0 * explanation.probability,
                explanation.trust.score(),
                file.display(),
            ));
        }
        explained.push(ExplainedPicture { name, label, class, explanation });
    }
    if let Some(error) = broken.filter(|_| explained.is_empty()) {
        return Err(error.into());
    }
    let page = folder.join("index.html");
    let stage = &explainer.stages()[stage.unwrap_or_default()];
    std::fs::write(&page, cam_page(&directory.name(), method, stage, &explained))
        .with_context(|| page.display().to_string())?;
    if arguments.json {
        say(serde_json::to_string(&rows)?);
    } else {
        say(format!("page: {}", page.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Those that are named, then the best and the worst of the validation set.
fn pictures(
    arguments: &GradCamArguments,
    directory: &RunDirectory,
    images: &[PathBuf],
) -> anyhow::Result<Vec<Asked>> {
    let named = images.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Asked { path: path.clone(), name, label: None }
    });
    let mut asked: Vec<Asked> = named.collect();
    if arguments.best + arguments.worst == 0 {
        return Ok(asked);
    }
    let outputs = Outputs::of_run(directory)?.with_context(|| {
        let run = directory.path().display();
        format!("{run} has no outputs.safetensors yet; write it with: kiln evaluate {run}")
    })?;
    let folder = validation_folder(directory.path(), arguments.data.as_deref(), &mut Silent)?;
    let (best, worst) = extremes(&outputs, arguments.best, arguments.worst);
    asked.extend(best.into_iter().chain(worst).map(|picture| of_set(&outputs, picture, &folder)));
    Ok(asked)
}

fn of_set(outputs: &Outputs, picture: usize, folder: &Path) -> Asked {
    let name = outputs.pictures[picture].clone();
    let label = outputs.class_names[outputs.labels[picture] as usize].clone();
    Asked { path: folder.join(&name), name, label: Some(label) }
}

/// The pictures that are recognised, and those that are mistaken, with the highest probability.
fn extremes(outputs: &Outputs, best: usize, worst: usize) -> (Vec<usize>, Vec<usize>) {
    let scored =
        Scored::from_logits(outputs.classes(), &outputs.logits, outputs.labels.clone(), 1.0);
    scored.surest(best, worst)
}

/// The stage of this name, if one is asked for.
fn stage(explainer: &Explainer, name: Option<&str>) -> Result<Option<usize>, Usage> {
    let stages = explainer.stages();
    let Some(name) = name else { return Ok(None) };
    let found = stages.iter().position(|stage| stage == name);
    found
        .map(Some)
        .ok_or_else(|| Usage(format!("no stage `{name}`; there is {}", stages.join(", "))))
}

fn class(card: &ModelCard, name: &str) -> Result<usize, Usage> {
    let found = card.class_names.iter().position(|class| class == name);
    found.ok_or_else(|| {
        Usage(format!("no class `{name}`; the run has {}", card.class_names.join(", ")))
    })
}
