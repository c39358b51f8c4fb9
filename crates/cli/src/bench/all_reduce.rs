//! `kiln bench all-reduce`, under `mpirun`: what it takes the ranks of a job to add up their gradients.

use super::median;
use crate::job::Job;
use crate::output::say;
use std::time::Instant;

/// Gradients: of ResNet-20, ResNet-18 and ResNet-50.
const CASES: [(&str, usize); 3] =
    [("resnet20", 272_474), ("resnet18", 11_689_512), ("resnet50", 25_557_032)];
const REPEATS: usize = 15;

pub(super) fn all_reduce() -> anyhow::Result<()> {
    let job = Job::join()?;
    let ranks = &job.ranks;
    if ranks.is_first() {
        say(format_args!("| gradients of | values | MiB | ms, {} ranks |", ranks.size()));
        say("|---|---|---|---|");
    }
    for (network, values) in CASES {
        let mut gradients = vec![1.0_f32; values];
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            // All begin together.
            ranks.any(false)?;
            let began = Instant::now();
            ranks.sum(&mut gradients)?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            gradients.fill(1.0);
        }
        if ranks.is_first() {
            let mebibytes = (values * size_of::<f32>()) as f64 / f64::from(1 << 20);
            say(format_args!("| {network} | {values} | {mebibytes:.1} | {:.1} |", median(times)));
        }
    }
    Ok(())
}
