//! `kiln grad-cam`.

use crate::arguments::GradCamArguments;
use crate::exit::Usage;
use crate::explaining::{Asked, Explaining};
use crate::output::{complain, say};
use anyhow::Context as _;
use kiln_analysis::cam::{CamMethod, panel};
use kiln_analysis::metrics::Scored;
use kiln_analysis::{ExplainedPicture, cam_page_end, cam_page_figure, cam_page_head, png};
use kiln_trainer::{Error, ModelCard, Outputs, RunDirectory, RunPictures, Silent, best_model};
use serde_json::json;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Pictures of a class that are explained when no others are asked for.
const OF_CLASS: usize = 16;

pub(crate) fn grad_cam(arguments: &GradCamArguments) -> anyhow::Result<ExitCode> {
    let (run, images) = arguments.paths.split_first().context("no run given")?;
    let (directory, _) = RunDirectory::open(run)?;
    let device = arguments.device.open()?;
    let (network, card) = best_model(&directory, &device)?;
    let class = arguments.class.as_deref().map(|name| class(&card, name)).transpose()?;
    let asked = pictures(arguments, &directory, images)?;
    if asked.is_empty() {
        let problem =
            "nothing to explain: name pictures, or ask for --best N, --worst N or --class NAME";
        return Err(Usage(problem.to_owned()).into());
    }
    let method = CamMethod::from(arguments.method);
    let mut explaining = Explaining::new(network, card, &device, method);
    if let Some(name) = &arguments.layer {
        let stage = stage(&explaining, name)?;
        explaining = explaining.at(stage);
    }
    let folder = arguments.output.clone().unwrap_or_else(|| directory.path().join("grad-cam"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;

    // Written picture by picture: there may be thousands.
    let page = folder.join("index.html");
    let mut html = File::create(&page).with_context(|| page.display().to_string())?;
    let mut write =
        |text: &str| html.write_all(text.as_bytes()).with_context(|| page.display().to_string());
    write(&cam_page_head(&directory.name(), method, &explaining.stage()))?;
    let (mut rows, mut broken) = (Vec::new(), None);
    for (number, picture) in asked.into_iter().enumerate() {
        let path = picture.path.clone();
        let explained = match explaining.explain(picture, class) {
            Ok(explained) => explained,
            Err(error) => {
                // The others are still of use.
                if let Some(before) = broken.replace(error) {
                    complain(format!("error: {before}"));
                }
                continue;
            }
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
        let stem: String = stem.chars().map(plain).collect();
        let file = format!("{:03}-{stem}.png", number + 1);
        let overlay = folder.join(&file);
        let image = png(&panel(&explained.explanation.picture, &explained.explanation.overlay));
        std::fs::write(&overlay, image).with_context(|| overlay.display().to_string())?;
        write(&cam_page_figure(&explained, &file))?;
        let ExplainedPicture { label, predicted, class, explanation, .. } = explained;
        if !arguments.json {
            say(format!(
                "{}: {class} {:.1} %, trust {:+.2}: {}",
                path.display(),
                100.0 * explanation.class.1,
                explanation.trust.score(),
                overlay.display(),
            ));
        }
        rows.push(json!({
            "path": path,
            "label": label,
            "predicted": predicted,
            "class": class,
            "probability": explanation.class.1,
            "deletion": explanation.trust.deletion_area(),
            "insertion": explanation.trust.insertion_area(),
            "overlay": overlay,
        }));
    }
    if let Some(error) = broken {
        if rows.is_empty() {
            let _ = std::fs::remove_file(&page);
            return Err(error.into());
        }
        complain(format!("error: {error}"));
        write("<p class=\"note\">Pictures that could not be read are left out.</p>")?;
    }
    write(&cam_page_end())?;
    if arguments.json {
        say(serde_json::to_string(&rows)?);
    } else {
        say(format!("page: {}", page.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Those that are named, then the best and the worst of the validation set; if there are none, the first of the class.
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
    let of_class = arguments.class.as_ref().filter(|_| asked.is_empty());
    if arguments.best + arguments.worst == 0 && of_class.is_none() {
        return Ok(asked);
    }
    let outputs = Outputs::of_run(directory)?.ok_or_else(|| Error::RunDirectory {
        path: directory.path().to_owned(),
        problem: "has no outputs of its best checkpoint yet; write them with kiln evaluate"
            .to_owned(),
    })?;
    let data = arguments.data.as_deref();
    let run = RunPictures::open(directory.path(), data, &mut Silent)?;
    let (best, worst) = Scored::of(&outputs, None).surest(arguments.best, arguments.worst);
    let mut chosen: Vec<usize> = best.into_iter().chain(worst).collect();
    if let Some(name) = of_class.filter(|_| chosen.is_empty()) {
        let is_of =
            |picture: &usize| outputs.class_names[outputs.labels[*picture] as usize] == **name;
        chosen.extend((0..outputs.len()).filter(is_of).take(OF_CLASS));
    }
    let folder = run.validation_folder();
    asked.extend(chosen.into_iter().map(|picture| Asked::of_set(&outputs, picture, folder)));
    Ok(asked)
}

/// The stage of this name.
fn stage(explaining: &Explaining, name: &str) -> Result<usize, Usage> {
    let stages = explaining.stages();
    let found = stages.iter().position(|stage| stage == name);
    found.ok_or_else(|| Usage(format!("no stage `{name}`; there is {}", stages.join(", "))))
}

fn class(card: &ModelCard, name: &str) -> Result<usize, Usage> {
    let found = card.class_names.iter().position(|class| class == name);
    found.ok_or_else(|| {
        Usage(format!("no class `{name}`; the run has {}", card.class_names.join(", ")))
    })
}
