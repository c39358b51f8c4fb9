//! What checkpoints cost: ResNet-50, a set every hundred steps.

use super::median;
use super::runs::{Timer, synth_run};
use crate::output::say;

const STEPS: u64 = 320;
const EVERY: u64 = 100;
/// Steps after the beginning of a set in which it may still be being written.
const WRITTEN_IN: usize = 10;

pub(super) fn checkpoints() -> anyhow::Result<()> {
    let experiment = format!(
        r#"
        [data]
        source = {{ type = "synth", train = {}, val = 16, classes = 10, side = 64 }}
        [model]
        type = "resnet50"
        [common]
        size = 64
        batch = {{ micro = 8 }}
        optimizer = {{ type = "adam" }}
        schedule = {{ type = "constant", lr = 1e-4 }}
        run_for = {{ epochs = 1 }}
        pipeline = [{{ type = "random_horizontal_flip" }}]
        checkpoint = {{ every = {{ steps = {EVERY} }}, keep_newest = 1 }}
        "#,
        8 * STEPS
    );
    say("ResNet-50 with Adam, 8 pictures of 64 px a step, flex");
    let mut timer = Timer::default();
    let records = synth_run(&experiment, &mut timer)?;
    let usual = median(timer.seconds.clone());
    let every = usize::try_from(EVERY)?;
    // A checkpoint is begun after the step that is due, and its time is in the next one.
    let beside: Vec<f64> = timer
        .seconds
        .iter()
        .enumerate()
        .filter(|(step, _)| *step >= every && step % every < WRITTEN_IN)
        .map(|(_, seconds)| *seconds)
        .collect();
    let all: f64 = timer.seconds.iter().sum();
    let stalled: f64 = records.iter().map(|record| record.checkpoint_seconds).sum();
    let slowed: f64 = beside.iter().map(|seconds| seconds - usual).sum();
    say(format!("a step: {usual:.3} s; {} checkpoints in {all:.0} s", (STEPS - 1) / EVERY));
    say(format!("training stood still for {stalled:.3} s: {:.2} %", 100.0 * stalled / all));
    say(format!(
        "the {WRITTEN_IN} steps after each, which share the processor with the writer: {:+.2} % of the time in all",
        100.0 * slowed / all
    ));
    Ok(())
}
