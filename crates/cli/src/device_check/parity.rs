//! One pass forward and backward, on the device and on the CPU.

use super::{Scale, Tolerance, name, reference, verdict, worst};
use crate::bench::{BareStep, Case};
use crate::output::say;
use burn::tensor::Device;
use kiln_trainer::spec::Precision;

/// Prints a table; whether every difference is small enough. The CPU computes in f32 throughout.
pub(super) fn passes(
    device: &Device,
    scale: Scale,
    precisions: &[(Precision, Tolerance)],
) -> anyhow::Result<bool> {
    say("\n| one pass | in | logits apart | limit | gradients apart | limit | |");
    say("|---|---|---|---|---|---|---|");
    let mut agrees = true;
    for &(network, size, batch) in scale.networks {
        let case = Case { network, size, batch };
        let expected = BareStep::on(case, &reference(), Precision::F32)?.pass()?;
        for &(precision, limits) in precisions {
            let found = BareStep::on(case, device, precision)?.pass()?;
            let largest = |values: &[f32]| values.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
            let pairs = expected.logits.iter().zip(&found.logits);
            let apart = worst(pairs.map(|(a, b)| f64::from((a - b).abs())));
            let logits = apart / f64::from(largest(&expected.logits));
            let gradients = relative(&expected.gradients, &found.gradients);
            let fits = logits <= limits.logits && gradients <= limits.gradients;
            agrees &= fits;
            say(format_args!(
                "| {case} | {} | {logits:.1e} | {:.0e} | {gradients:.1e} | {:.0e} | {} |",
                name(precision),
                limits.logits,
                limits.gradients,
                verdict(fits)
            ));
        }
    }
    Ok(agrees)
}

/// The norm of the difference over that of the expected values.
fn relative(expected: &[f32], found: &[f32]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let pairs = expected.iter().zip(found);
    let apart = squares(&mut pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let whole = squares(&mut expected.iter().map(|v| f64::from(*v)));
    if expected.len() == found.len() { (apart / whole).sqrt() } else { f64::INFINITY }
}
