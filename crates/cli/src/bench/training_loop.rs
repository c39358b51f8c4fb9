//! Images/s of the trainer's loop against the bare step inside it: ResNet-18, batch 32 at 128 px.

use super::loader::training_pictures;
use super::median;
use super::step::{Case, Mode, measure};
use crate::output::say;
use burn::tensor::Device;
use kiln_models::Kernels;
use kiln_trainer::spec::{Layer, Layers};
use kiln_trainer::{Destination, Observer, RunSettings, StepReport, StopRequest, begin};
use std::path::Path;
use std::time::Instant;

const CASE: Case = Case { network: "resnet18", size: 128, batch: 32 };
const STEPS: usize = 12;
/// Steps before the first that counts: memory is mapped, caches are warm.
const WARM: usize = 3;

pub(super) fn training_loop(folder: &Path) -> anyhow::Result<()> {
    say(format!("{CASE}, SGD, f32, flex; median of {STEPS} steps"));
    for round in 1..=3 {
        let bare = measure(CASE, Mode::Train, Kernels::Fast, STEPS)?.images_per_second;
        let trainer = trainer_step(folder)?;
        say(format!(
            "round {round}: bare step {bare:.1} images/s, trainer's loop {trainer:.1} images/s, ratio {:.3}",
            trainer / bare
        ));
    }
    Ok(())
}

/// Times the steps of a run.
struct Stopwatch {
    last: Instant,
    rates: Vec<f64>,
    stop: StopRequest,
}

impl Observer for Stopwatch {
    fn step(&mut self, report: StepReport) {
        let now = Instant::now();
        self.rates.push(report.images as f64 / (now - self.last).as_secs_f64());
        self.last = now;
        if self.rates.len() == WARM + STEPS {
            self.stop.request();
        }
    }
}

fn trainer_step(folder: &Path) -> anyhow::Result<f64> {
    // Fails early, and by name, when the folder is not what is needed.
    training_pictures(folder)?;
    let scratch = std::env::temp_dir().join(format!("kiln-bench-{}", std::process::id()));
    let mut layers = Layers::with_defaults()?;
    let experiment = format!(
        r#"
        seed = 0
        [data]
        source = {{ type = "image_folder", path = '{}' }}
        [model]
        type = "resnet18"
        [common]
        size = {}
        batch = {{ micro = {} }}
        optimizer = {{ type = "sgd" }}
        schedule = {{ type = "constant", lr = 1e-3 }}
        run_for = {{ epochs = 1 }}
        pipeline = [{{ type = "random_resized_crop" }}, {{ type = "random_horizontal_flip" }}]
        "#,
        folder.display(),
        CASE.size,
        CASE.batch,
    );
    layers.push(Layer::from_toml("bench", &experiment)?);
    let stop = StopRequest::default();
    let settings = RunSettings { device: Device::flex(), workers: 2, stop: stop.clone() };
    let mut watch = Stopwatch { last: Instant::now(), rates: Vec::new(), stop };
    let destination = Destination::Exactly(scratch.clone());
    let outcome = begin("bench", &layers, &destination, &settings, &mut watch);
    let _ = std::fs::remove_dir_all(&scratch);
    outcome?;
    Ok(median(watch.rates.split_off(WARM)))
}
