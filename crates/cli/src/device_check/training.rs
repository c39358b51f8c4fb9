//! Whole runs of the trainer on the device and on the CPU: the same pictures, steps, checkpoints and scores.

use super::{Scale, name, reference, tolerance, verdict};
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
source = { type = "synth", train = 640, val = 40, classes = 4, side = 32 }
[model]
type = "resnet20"
[trainer]
log_every_steps = 1
[common]
size = 32
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
mixing = { mixup_alpha = 0.4, cutmix_alpha = 1.0 }
optimizer = { type = "sgd", momentum = 0.9, weight_decay = 1e-4 }
schedule = { type = "constant", lr = 0.02 }
"#;

/// Prints a table; whether every difference is small enough.
pub(super) fn trainings(
    device: &Device,
    scale: Scale,
    precisions: &[Precision],
) -> anyhow::Result<bool> {
    let folder = Folder::new()?;
    let run = |name: &str, device: &Device, steps: u64, precision: Precision| {
        folder.train(name, device, (steps, scale.batch), precision)
    };
    let expected = run("cpu", &reference(), scale.steps, Precision::F32)?;
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
    for &precision in precisions {
        let limit = tolerance(precision).losses;
        let whole = run(&format!("whole-{}", name(precision)), device, scale.steps, precision)?;
        row("losses of steps and CPU's", precision, apart(&expected.losses, &whole.losses), limit);
        let part = format!("part-{}", name(precision));
        run(&part, device, scale.steps / 2, precision)?;
        let continued = folder.go_on(&part, device, scale.steps)?;
        row(
            "stopped halfway and continued",
            precision,
            apart(&whole.losses, &continued.losses),
            tolerance(Precision::F32).losses,
        );
        if precision == Precision::F32 {
            run("half", device, scale.steps / 2, precision)?;
            let continued = folder.go_on("half", &reference(), scale.steps)?;
            let apart = apart(&expected.losses, &continued.losses);
            row("begun on it, continued on the CPU", precision, apart, limit);
        }
        let again = folder.evaluate(&format!("whole-{}", name(precision)), &reference())?;
        row(
            "its checkpoint scored on the CPU",
            precision,
            apart(&[whole.val_loss], &[again]),
            tolerance(Precision::F32).losses,
        );
    }
    Ok(agrees)
}

/// The largest difference over the expected value.
fn apart(expected: &[f64], found: &[f64]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    let apart = expected.iter().zip(found).map(|(a, b)| ((a - b) / a).abs());
    // Not `max`, which takes no notice of what is no number.
    apart.fold(0.0, |worst, apart| if apart <= worst { worst } else { apart })
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

    fn layers(&self, (steps, batch): (u64, u32), precision: Precision) -> anyhow::Result<Layers> {
        let mut layers = Layers::with_defaults()?;
        layers.push(Layer::from_toml("device-check", EXPERIMENT)?);
        let settings = format!(
            "data.cache = '{}'\n[common]\nprecision = '{}'\nbatch.micro = {batch}\nrun_for.steps = {steps}\n",
            self.path.join("cache").display(),
            name(precision),
        );
        layers.push(Layer::from_toml("device-check", &settings)?);
        Ok(layers)
    }

    fn train(
        &self,
        name: &str,
        device: &Device,
        length: (u64, u32),
        precision: Precision,
    ) -> anyhow::Result<Trained> {
        let layers = self.layers(length, precision)?;
        let destination = Destination::Exactly(self.path.join(name));
        let settings = RunSettings::new(device.clone(), 2);
        trained(begin("device-check", &layers, &destination, &settings, &mut Silent)?)
    }

    fn go_on(&self, name: &str, device: &Device, steps: u64) -> anyhow::Result<Trained> {
        let longer = Layer::from_assignment(&format!("stage.only.run_for.steps={steps}"))?;
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
