//! `kiln report`.

use crate::arguments::ReportArguments;
use crate::commands::train::without_handler;
use crate::explaining::{Asked, Explaining};
use crate::output::say;
use burn::tensor::Device;
use kiln_analysis::cam::CamMethod;
use kiln_analysis::metrics::Scored;
use kiln_analysis::{Explained, Report, contact_sheet};
use kiln_augment::Image8;
use kiln_trainer::{
    Error, Outputs, RangeRecord, RunDirectory, RunPictures, RunSettings, Silent, StopRequest,
    best_model, recorded_layers,
};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Pictures that the page explains.
const BEST: usize = 4;
const WORST: usize = 8;
/// Pictures of a contact sheet.
const SHOWN: usize = 16;

/// Files of a run that the page links to.
const FILES: [(&str, &str); 6] = [
    ("config.toml", "every setting"),
    ("metrics.csv", "a line for each epoch"),
    ("metrics.jsonl", "epochs and spans of steps"),
    ("evaluation.json", "scores of the best checkpoint"),
    ("environment.json", "where and how it ran"),
    ("checkpoints", "complete sets"),
];

pub(crate) fn report(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    let settings = without_handler(&arguments.machine, StopRequest::default())?;
    let path = write_report(&arguments.run, arguments.data.as_deref(), &settings)?;
    say(path.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes `report.html` into a run directory and returns its path. What needs pictures or a checkpoint that are not there
/// is left out, and the page says so.
pub(crate) fn write_report(
    run: &Path,
    pictures: Option<&Path>,
    settings: &RunSettings,
) -> Result<PathBuf, Error> {
    let (directory, _) = RunDirectory::open(run)?;
    let html = report_of(&directory, pictures, Some(settings))?;
    directory.write("report.html", html.as_bytes())?;
    Ok(directory.path().join("report.html"))
}

/// The page of a run. Without settings to compute with it has no pictures.
pub(crate) fn report_of(
    directory: &RunDirectory,
    pictures: Option<&Path>,
    settings: Option<&RunSettings>,
) -> Result<String, Error> {
    let mut missing = Vec::new();
    let mut or_missing = |what: &str, error: &dyn Display| missing.push(format!("{what}: {error}"));
    let evaluation = directory.evaluation()?;
    let outputs = Outputs::of_run(directory).unwrap_or_else(|error| {
        or_missing("probabilities", &error);
        None
    });
    let mut explained = None;
    let mut sheets = Vec::new();
    if let Some(settings) = settings {
        match RunPictures::open(directory.path(), pictures, &mut Silent) {
            Ok(run) => {
                if let Some(outputs) = &outputs {
                    match explain_extremes(directory, &run, outputs, &settings.device) {
                        Ok((found, broken)) => {
                            explained = Some(found);
                            for error in &broken {
                                or_missing("an explained picture", error);
                            }
                        }
                        Err(error) => or_missing("explained pictures", &error),
                    }
                }
                match sheets_of(&run, settings) {
                    Ok(found) => sheets = found,
                    Err(error) => or_missing("training pictures", &error),
                }
            }
            Err(error) => {
                if outputs.is_some() {
                    or_missing("explained pictures", &error);
                }
                or_missing("training pictures", &error);
            }
        }
    }
    let range = match std::fs::read(directory.path().join("lr-find.json")) {
        Ok(bytes) => serde_json::from_slice::<RangeRecord>(&bytes)
            .map_err(|error| or_missing("lr-find.json", &error))
            .ok(),
        Err(_) => None,
    };
    let temperature = match &evaluation {
        None => {
            or_missing(
                "the run has not come to its end",
                &"no evaluation, probabilities and explained pictures yet",
            );
            None
        }
        Some(evaluation) => {
            if outputs.is_none() {
                or_missing("probabilities and explained pictures", &"run kiln evaluate first");
            }
            let absent = evaluation.confusion.iter().zip(&evaluation.class_names);
            let absent: Vec<&str> = absent
                .filter(|(row, _)| row.iter().all(|count| *count == 0))
                .map(|(_, name)| name.as_str())
                .collect();
            if !absent.is_empty() {
                or_missing("classes without validation pictures", &absent.join(", "));
            }
            directory.temperature(&evaluation.checkpoint)?
        }
    };
    let setup = setup(directory).unwrap_or_default();
    let environment = std::fs::read_to_string(directory.path().join("environment.json"));
    let files: Vec<(&str, &str)> =
        FILES.into_iter().filter(|(file, _)| directory.path().join(file).exists()).collect();
    let report = Report {
        name: &directory.name(),
        records: &directory.records()?,
        evaluation: evaluation.as_ref(),
        outputs: outputs.as_ref(),
        temperature,
        setup: &setup,
        explained: explained.as_ref(),
        range: range.as_ref(),
        sheets: &sheets,
        config: &directory.config()?,
        environment: &environment.unwrap_or_default(),
        files: if settings.is_some() { &files } else { &[] },
        missing: &missing,
    };
    Ok(report.to_html())
}

/// Grad-CAM of the pictures that the network is surest of, right and wrong; and those that could not be read.
fn explain_extremes(
    directory: &RunDirectory,
    run: &RunPictures,
    outputs: &Outputs,
    device: &Device,
) -> Result<(Explained, Vec<Error>), Error> {
    let (best, worst) = Scored::of(outputs, None).surest(BEST, WORST);
    let (network, card) = best_model(directory, device)?;
    let explaining = Explaining::new(network, card, device, CamMethod::GradCam);
    let mut broken = Vec::new();
    let mut explained = |picture: usize| {
        let asked = Asked::of_set(outputs, picture, run.validation_folder());
        explaining.explain(asked, None).map_err(|error| broken.push(error)).ok()
    };
    let best = best.into_iter().filter_map(&mut explained).collect();
    let worst = worst.into_iter().filter_map(&mut explained).collect();
    let (method, stage) = (explaining.method, explaining.stage());
    Ok((Explained { method, stage, best, worst }, broken))
}

/// What was trained where, in a line.
fn setup(directory: &RunDirectory) -> Option<String> {
    let spec = recorded_layers(directory).ok()?.resolve().ok()?;
    let text = std::fs::read_to_string(directory.path().join("environment.json")).ok()?;
    let environment: serde_json::Value = serde_json::from_str(&text).ok()?;
    let stages: Vec<String> = spec
        .stages
        .iter()
        .filter_map(|name| Some((name, spec.stage.get(name)?)))
        .map(|(name, stage)| format!("{name} at {} px", stage.size))
        .collect();
    let known =
        |name: &str, key: &str| environment[key].as_str().map(|value| format!("{name}{value}"));
    let parts = [
        Some(spec.model.name()),
        Some(stages.join(", ")),
        Some(format!("seed {}", spec.seed)),
        known("on ", "device"),
        known("", "processor"),
        known("Kiln ", "kiln_version"),
        known("commit ", "commit"),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

fn sheets_of(run: &RunPictures, settings: &RunSettings) -> Result<Vec<(String, Image8)>, Error> {
    let sheet = |(stage, mut pictures): (String, Vec<Image8>)| {
        pictures.truncate(SHOWN);
        Some((stage, contact_sheet(&pictures)?))
    };
    Ok(run.first_of_stages(settings)?.into_iter().filter_map(sheet).collect())
}
