//! Whole runs of the trainer on the device and on the CPU: the same pictures, steps, checkpoints and scores.

use super::{Scale, Tolerance, name, reference, verdict, worst};
use crate::output::say;
use anyhow::{Context as _, bail};
use burn::tensor::Device;
use kiln_trainer::spec::{Layer, Layers, Precision};
use kiln_trainer::{
    Destination, Outcome, ResumeOptions, RunDirectory, RunSettings, Silent, begin, evaluate_run,
    resume,
};
use std::path::{Path, PathBuf};

/// ResNet-20 on generated pictures.
const EXPERIMENT: &str = r#"
seed = 7
stages = ["only"]
[data]
source = { type = "synth", val = 40, classes = 4, side = 32 }
[model]
type = "resnet20"
[trainer]
log_every_steps = 1
[common]
size = 32
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
mixing = { mixup_alpha = 0.4, cutmix_alpha = 1.0 }
optimizer = { type = "sgd", momentum = 0.9, weight_decay = 1e-4 }
schedule = { type = "constant", lr = 2e-3 }
"#;

/// Prints a table; whether every difference is small enough.
pub(super) fn trainings(
    device: &Device,
    scale: Scale,
    precisions: &[(Precision, Tolerance)],
) -> anyhow::Result<bool> {
    let folder = Folder::new()?;
    let run = |name: &str, device: &Device, epochs: u64, precision: Precision| {
        folder.train(name, device, scale, (epochs, precision))
    };
    let expected = run("cpu", &reference(), 2, Precision::F32)?;
    say(format_args!(
        "\n| {} steps of {} pictures | in | apart | limit | |",
        scale.steps, scale.batch
    ));
    say("|---|---|---|---|---|");
    let mut agrees = true;
    let mut row = |what: &str, precision: Precision, apart: f64, limit: f64| {
        // False for what is no number.
        let fits = apart <= limit;
        agrees &= fits;
        let (precision, verdict) = (name(precision), verdict(fits));
        say(format_args!("| {what} | {precision} | {apart:.1e} | {limit:.0e} | {verdict} |"));
    };
    let f32_limit = precisions.first().map_or(0.0, |(_, tolerance)| tolerance.losses);
    for &(precision, Tolerance { losses: limit, .. }) in precisions {
        let whole = run(&format!("whole-{}", name(precision)), device, 2, precision)?;
        row("losses of steps and CPU's", precision, apart(&expected.losses, &whole.losses), limit);
        let part = format!("part-{}", name(precision));
        run(&part, device, 1, precision)?;
        let continued = folder.go_on(&part, device)?;
        row(
            "stopped halfway and continued",
            precision,
            apart(&whole.losses, &continued.losses),
            f32_limit,
        );
        if precision == Precision::F32 {
            run("half", device, 1, precision)?;
            let continued = folder.go_on("half", &reference())?;
            let apart = apart(&expected.losses, &continued.losses);
            row("begun on it, continued on the CPU", precision, apart, limit);
        }
        let again = folder.evaluate(&format!("whole-{}", name(precision)), &reference())?;
        row(
            "its checkpoint scored on the CPU",
            precision,
            apart(&[whole.val_loss], &[again]),
            f32_limit,
        );
    }
    Ok(agrees)
}

/// The largest difference over the expected value.
fn apart(expected: &[f64], found: &[f64]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    worst(expected.iter().zip(found).map(|(a, b)| ((a - b) / a).abs()))
}

/// What a run came to.
struct Trained {
    /// Of every step.
    losses: Vec<f64>,
    val_loss: f64,
}

/// A folder for runs that is gone afterwards.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("kiln-device-check-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    /// Two epochs are all steps.
    fn layers(
        &self,
        Scale { steps, batch, .. }: Scale,
        (epochs, precision): (u64, Precision),
    ) -> anyhow::Result<Layers> {
        let mut layers = Layers::with_defaults()?;
        layers.push(Layer::from_toml("device-check", EXPERIMENT)?);
        let settings = format!(
            "data.cache = '{}'\ndata.source.train = {}\n[common]\nprecision = '{}'\nbatch.micro = {batch}\n\
             run_for.epochs = {epochs}\n",
            self.path.join("cache").display(),
            steps / 2 * u64::from(batch),
            name(precision),
        );
        layers.push(Layer::from_toml("device-check", &settings)?);
        Ok(layers)
    }

    fn train(
        &self,
        name: &str,
        device: &Device,
        scale: Scale,
        length: (u64, Precision),
    ) -> anyhow::Result<Trained> {
        let layers = self.layers(scale, length)?;
        let destination = Destination::Exactly(self.path.join(name));
        let settings = RunSettings::new(device.clone(), 2);
        trained(begin("device-check", &layers, &destination, &settings, &mut Silent)?)
    }

    /// Continues a run of one epoch for a second one.
    fn go_on(&self, name: &str, device: &Device) -> anyhow::Result<Trained> {
        let longer = Layer::from_assignment("stage.only.run_for.epochs=2")?;
        let options = ResumeOptions { changes: vec![longer], ..ResumeOptions::default() };
        let settings = RunSettings::new(device.clone(), 2);
        trained(resume(&self.path.join(name), &options, &settings, &mut Silent)?)
    }

    fn evaluate(&self, name: &str, device: &Device) -> anyhow::Result<f64> {
        let settings = RunSettings::new(device.clone(), 2);
        let (evaluation, _) = evaluate_run(&self.path.join(name), None, &settings, &mut Silent)?;
        Ok(evaluation.loss)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it lies among other temporary files.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn trained(outcome: Outcome) -> anyhow::Result<Trained> {
    let Outcome::Finished { directory, evaluation } = outcome else { bail!("was interrupted") };
    let (run, _) = RunDirectory::open(Path::new(&directory))?;
    let losses = run.steps()?.into_iter().filter_map(|line| line.train_loss).collect();
    Ok(Trained { losses, val_loss: evaluation.loss })
}
