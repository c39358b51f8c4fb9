//! Training of the classifier on a frozen network against training of the whole: time and memory, in turns.

use super::median;
use super::step::{Case, Mode, kiln, measure_apart};
use crate::output::say;

const CASES: [Case; 2] = [
    Case { network: "resnet18", size: 128, batch: 32 },
    Case { network: "resnet50", size: 128, batch: 16 },
];
const STEPS: usize = 7;
const ROUNDS: usize = 3;

pub(super) fn frozen() -> anyhow::Result<()> {
    say(format!("SGD, f32, flex; median of {ROUNDS} x {STEPS} steps"));
    say(
        "| case | all learns, images/s | head only, images/s | ratio | peak MiB, all | peak MiB, head |",
    );
    say("|---|---|---|---|---|---|");
    for case in CASES {
        let mut rates = [Vec::new(), Vec::new()];
        let mut bytes = [0, 0];
        for _ in 0..ROUNDS {
            for (i, mode) in [Mode::Train, Mode::Head].into_iter().enumerate() {
                let measured = measure_apart(kiln("fast")?, case, mode, STEPS)?;
                rates[i].extend(measured.repeats);
                bytes[i] = bytes[i].max(measured.peak_bytes.unwrap_or(0));
            }
        }
        let [all, head] = rates.map(median);
        let [all_peak, head_peak] = bytes.map(|bytes| bytes >> 20);
        let ratio = head / all;
        say(format!("| {case} | {all:.1} | {head:.1} | {ratio:.2} | {all_peak} | {head_peak} |"));
    }
    Ok(())
}
