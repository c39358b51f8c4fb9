//! The trainer's step against the bare one inside it: ResNet-18, batch 32 at 128 px.
//!
//! They are timed in turns, one of each, so that a machine whose rate moves, moves both. The loader works during both.

use super::bare_step::BareStep;
use super::loader::training_pictures;
use super::median;
use super::step::Case;
use crate::output::say;
use burn::tensor::Device;
use kiln_trainer::spec::{Layer, Layers, Precision};
use kiln_trainer::{Destination, Observer, RunSettings, StepReport, StopRequest, begin};
use std::path::Path;
use std::time::Instant;

const CASE: Case = Case { network: "resnet18", size: 128, batch: 32 };
const PAIRS: usize = 100;
/// Pairs before the first that counts: memory is mapped, caches are warm.
const WARM: usize = 4;

pub(super) fn training_loop(folder: &Path) -> anyhow::Result<()> {
    say(format!("{CASE}, SGD, f32, flex; {PAIRS} pairs of steps"));
    let pairs = pairs(folder)?;
    let mut ratios: Vec<f64> = pairs.iter().map(|(trainer, bare)| trainer / bare).collect();
    ratios.sort_by(f64::total_cmp);
    let rate = |of: fn(&(f64, f64)) -> f64| {
        median(pairs.iter().map(|pair| CASE.batch as f64 / of(pair)).collect())
    };
    say(format!(
        "trainer's step {:.1} images/s, bare step {:.1}; seconds of the one over the other: median {:.3}, quartiles {:.3} and {:.3}",
        rate(|pair| pair.0),
        rate(|pair| pair.1),
        median(ratios.clone()),
        ratios[ratios.len() / 4],
        ratios[3 * ratios.len() / 4],
    ));
    Ok(())
}

/// Times the steps of a run, and a bare one after each.
struct Stopwatch {
    last: Instant,
    bare: Option<BareStep>,
    /// Seconds of both.
    pairs: Vec<(f64, f64)>,
    stop: StopRequest,
}

impl Observer for Stopwatch {
    fn step(&mut self, _: StepReport) {
        let trainer = self.last.elapsed().as_secs_f64();
        if let Some(bare) = self.bare.take() {
            // The CPU does not fail.
            if let Ok((bare, seconds)) = bare.step() {
                self.bare = Some(bare);
                self.pairs.push((trainer, seconds));
            }
        }
        if self.pairs.len() == WARM + PAIRS {
            self.stop.request();
        }
        self.last = Instant::now();
    }
}

/// Seconds of the trainer's step and of the bare one.
fn pairs(folder: &Path) -> anyhow::Result<Vec<(f64, f64)>> {
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
        run_for = {{ epochs = 100 }}
        pipeline = [{{ type = "random_resized_crop" }}, {{ type = "random_horizontal_flip" }}]
        "#,
        folder.display(),
        CASE.size,
        CASE.batch,
    );
    layers.push(Layer::from_toml("bench", &experiment)?);
    let stop = StopRequest::default();
    let settings = RunSettings { stop: stop.clone(), ..RunSettings::new(Device::flex(), 2) };
    let bare = Some(BareStep::on(CASE, &Device::flex(), Precision::F32)?);
    let mut watch = Stopwatch { last: Instant::now(), bare, pairs: Vec::new(), stop };
    let destination = Destination::Exactly(scratch.clone());
    let outcome = begin("bench", &layers, &destination, &settings, &mut watch);
    let _ = std::fs::remove_dir_all(&scratch);
    outcome?;
    Ok(watch.pairs.split_off(WARM))
}
