//! Whether memory grows: 2,000 steps with all that has a state, and the peak of the first and the last hundred.

use super::runs::{Timer, synth_run};
use crate::output::say;

const STEPS: u64 = 2000;

pub(super) fn growth() -> anyhow::Result<()> {
    let experiment = format!(
        r#"
        [data]
        source = {{ type = "synth", train = 400, val = 40, classes = 10, side = 32 }}
        [model]
        type = "resnet20"
        dropout = 0.1
        [common]
        size = 32
        batch = {{ micro = 8 }}
        optimizer = {{ type = "adam" }}
        schedule = {{ type = "constant", lr = 1e-3 }}
        average = {{ type = "ema", decay = 0.99 }}
        run_for = {{ steps = {STEPS} }}
        pipeline = [{{ type = "random_resized_crop" }}, {{ type = "random_horizontal_flip" }}]
        mixing = {{ mixup_alpha = 0.2, cutmix_alpha = 1.0 }}
        checkpoint = {{ every = {{ steps = 50 }}, keep_newest = 2 }}
        "#
    );
    let mut timer = Timer::default();
    timer.peaks_every = Some(100);
    synth_run(&experiment, &mut timer)?;
    let mebibytes =
        |bytes: Option<&u64>| bytes.map_or(f64::NAN, |bytes| *bytes as f64 / 1_048_576.0);
    say(format!(
        "ResNet-20, {STEPS} steps, 40 validations and checkpoints: peak of the first hundred steps {:.0} MiB, of the second {:.0} MiB, of the last {:.0} MiB",
        mebibytes(timer.peaks.first()),
        mebibytes(timer.peaks.get(1)),
        mebibytes(timer.peaks.last()),
    ));
    Ok(())
}
