//! Images/s of a ResNet-18 training step, batch 32 at 128 px: the bare step, and the trainer's loop around it.

use super::loader::training_pictures;
use super::median;
use crate::output::say;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_models::{ModelSpec, ResNetSpec, UnitSource};
use kiln_optim_schedules::{Gradients, OptimizerSpec, Rates};
use kiln_trainer::spec::{Layer, Layers};
use kiln_trainer::{
    Destination, Observer, RunSettings, StepReport, StopRequest, begin, cross_entropy_sum,
    smoothed_targets,
};
use std::path::Path;
use std::time::Instant;

const BATCH: u32 = 32;
const SIZE: usize = 128;
const SHAPE: [usize; 4] = [BATCH as usize, 3, SIZE, SIZE];
const PIXELS: usize = BATCH as usize * 3 * SIZE * SIZE;
const STEPS: usize = 12;
/// Steps before the first that counts: memory is mapped, caches are warm.
const WARM: usize = 3;

pub(super) fn step(folder: &Path) -> anyhow::Result<()> {
    say(format!("ResNet-18, batch {BATCH}, {SIZE} px, SGD, f32, flex; median of {STEPS} steps"));
    for round in 1..=3 {
        let bare = bare_step()?;
        let trainer = trainer_step(folder)?;
        say(format!(
            "round {round}: bare step {bare:.1} images/s, trainer's loop {trainer:.1} images/s, ratio {:.3}",
            trainer / bare
        ));
    }
    Ok(())
}

/// The same step on one batch that lies in memory, without loading, counting or observing.
fn bare_step() -> anyhow::Result<f64> {
    let device = Device::flex().autodiff();
    let source = |_: &str| -> UnitSource {
        let mut state = 1_u64;
        Box::new(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        })
    };
    let mut network = ModelSpec::Resnet18(ResNetSpec::default()).initialize(10, &device, source)?;
    let mut sgd = serde_json::from_str::<OptimizerSpec>(r#"{ "type": "sgd" }"#)?.build()?;
    let pixels: Vec<f32> = (0..PIXELS).map(|i| (i % 255) as f32 / 255.0).collect();
    let labels: Vec<u32> = (0..BATCH).map(|i| i % 10).collect();
    let mut rates = Vec::new();
    for step in 0..WARM + STEPS {
        let began = Instant::now();
        let data = TensorData::new(pixels.clone(), SHAPE);
        let logits = network.forward(Tensor::from_data(data, (&device, DType::F32)));
        let loss = cross_entropy_sum(logits, smoothed_targets(&labels, 10, 0.0, &device));
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), &network);
        gradients.scale(1.0 / f64::from(BATCH));
        network = sgd.step(network, gradients, Rates { lr: 1e-3, momentum: None });
        if step >= WARM {
            rates.push(f64::from(BATCH) / began.elapsed().as_secs_f64());
        }
    }
    Ok(median(rates))
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
        size = {SIZE}
        batch = {{ micro = {BATCH} }}
        optimizer = {{ type = "sgd" }}
        schedule = {{ type = "constant", lr = 1e-3 }}
        run_for = {{ epochs = 1 }}
        pipeline = [{{ type = "random_resized_crop" }}, {{ type = "random_horizontal_flip" }}]
        "#,
        folder.display()
    );
    layers.push(Layer::from_toml("bench", &experiment)?);
    let stop = StopRequest::default();
    let settings = RunSettings { device: Device::flex(), workers: 2, stop: stop.clone() };
    let mut watch = Stopwatch { last: Instant::now(), rates: Vec::new(), stop };
    let destination = Destination::Exactly(scratch.clone());
    let outcome = begin("bench", &layers, &destination, &settings, &mut watch);
    outcome?;
    std::fs::remove_dir_all(&scratch)?;
    Ok(median(watch.rates.split_off(WARM)))
}
