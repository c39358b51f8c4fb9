//! Whole runs on generated pictures, and an observer with a watch.

use burn::tensor::Device;
use kiln_trainer::record::EpochRecord;
use kiln_trainer::spec::{Layer, Layers};
use kiln_trainer::{Destination, Observer, RunSettings, StepReport, begin};
use std::time::Instant;

/// Times every step, what happens between it and the one before included.
#[derive(Debug, Default)]
pub(super) struct Timer {
    last: Option<Instant>,
    pub(super) seconds: Vec<f64>,
    /// Steps of each peak of memory, if those are asked for.
    pub(super) peaks_every: Option<usize>,
    /// Bytes.
    pub(super) peaks: Vec<u64>,
    records: Vec<EpochRecord>,
}

impl Observer for Timer {
    fn step(&mut self, _: StepReport) {
        let now = Instant::now();
        let last = self.last.replace(now);
        self.seconds.extend(last.map(|last| (now - last).as_secs_f64()));
        let step = self.seconds.len() + 1;
        if self.peaks_every.is_some_and(|every| step.is_multiple_of(every)) {
            self.peaks.extend(kiln_trainer::peak_resident_bytes());
            // 5 forgets the peak (proc(5)); where that cannot be, all are that of the whole.
            let _ = std::fs::write("/proc/self/clear_refs", "5");
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.records.push(record.clone());
    }
}

/// Runs an experiment to its end in a folder that is then removed.
pub(super) fn synth_run(experiment: &str, timer: &mut Timer) -> anyhow::Result<Vec<EpochRecord>> {
    let scratch = std::env::temp_dir().join(format!("kiln-bench-{}", std::process::id()));
    let mut layers = Layers::with_defaults()?;
    layers.push(Layer::from_toml("bench", experiment)?);
    let cache = format!("seed = 0\ndata.cache = '{}'", scratch.join("cache").display());
    layers.push(Layer::from_toml("bench", &cache)?);
    let settings = RunSettings::new(Device::flex(), 2);
    let destination = Destination::Exactly(scratch.join("run"));
    let outcome = begin("bench", &layers, &destination, &settings, timer);
    let _ = std::fs::remove_dir_all(&scratch);
    outcome?;
    Ok(std::mem::take(&mut timer.records))
}
