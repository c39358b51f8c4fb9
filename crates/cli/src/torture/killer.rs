//! Killing and continuing.

use super::comparison::compare;
use crate::arguments::TortureArguments;
use crate::output::say;
use anyhow::{Context as _, bail, ensure};
use kiln_augment::{Domain, RandomKey};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const EXPERIMENT: &str = include_str!("experiment.toml");

/// Longest life of a process, as a part of the time that the whole training takes.
const LONGEST_LIFE: f64 = 0.25;

/// What kills have hit.
#[derive(Debug, Default)]
struct Kills {
    all: u32,
    /// Before there was a `run.json`.
    unbegun: u32,
    /// While a checkpoint was being written or removed.
    in_checkpoint: u32,
}

/// Trains once undisturbed; then again and again, killed by SIGKILL at random moments and continued by the same command,
/// until there were enough kills; each training that gets to its end must equal the first one.
pub(crate) fn torture(arguments: &TortureArguments) -> anyhow::Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("kiln-torture-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let result = torture_in(&scratch, arguments);
    if result.is_ok() {
        std::fs::remove_dir_all(&scratch)?;
    }
    result.with_context(|| format!("everything is kept in {}", scratch.display()))
}

fn torture_in(scratch: &Path, arguments: &TortureArguments) -> anyhow::Result<ExitCode> {
    let experiment = scratch.join("torture.toml");
    std::fs::write(&experiment, EXPERIMENT)?;
    let whole = Life { experiment, run: scratch.join("whole") };
    let began = Instant::now();
    ensure!(whole.begin(2)?.wait()?.success(), "the undisturbed training failed");
    let time = began.elapsed();
    say(format!("undisturbed: {:.1} s", time.as_secs_f64()));

    let mut moments = (0..).map(|index| {
        let key = RandomKey { seed: arguments.seed, domain: Domain::Augment, epoch: 0, index };
        let mut rng = key.rng(0);
        (time.mul_f64(LONGEST_LIFE * rng.unit()), 1 + u32::from(rng.unit() < 0.5))
    });
    let mut kills = Kills::default();
    let mut runs = 0;
    while kills.all < arguments.kills {
        runs += 1;
        let life = Life { run: scratch.join(format!("run-{runs}")), ..whole.clone() };
        let before = kills.all;
        loop {
            let (moment, workers) = moments.next().context("no moment left")?;
            let mut process = life.begin(workers)?;
            if kills.all < arguments.kills && !ends_within(&mut process, moment)? {
                // SIGKILL, which nothing can catch.
                process.kill()?;
                process.wait()?;
                kills.all += 1;
                kills.unbegun += u32::from(!life.run.join("run.json").exists());
                kills.in_checkpoint += u32::from(life.left_a_checkpoint_unfinished());
                continue;
            }
            let status = process.wait()?;
            if !status.success() {
                bail!("{}: {status} after {} kills", life.run.display(), kills.all - before);
            }
            break;
        }
        compare(&whole.run, &life.run).with_context(|| life.run.display().to_string())?;
        say(format!("training {runs}: {} kills, the same bits", kills.all - before));
        std::fs::remove_dir_all(&life.run)?;
    }
    let Kills { all, unbegun, in_checkpoint } = kills;
    say(format!(
        "{all} kills in {runs} trainings, {unbegun} before the run had begun, {in_checkpoint} while a checkpoint was written or \
         removed: all ended with the metrics, weights, averages and optimizer states of the undisturbed one"
    ));
    Ok(ExitCode::SUCCESS)
}

/// One training, as often as it takes.
#[derive(Clone)]
struct Life {
    experiment: PathBuf,
    run: PathBuf,
}

impl Life {
    fn begin(&self, workers: u32) -> anyhow::Result<Child> {
        // Pictures are generated for each training, so that this is killed too.
        let cache = format!("data.cache='{}.cache'", self.run.display());
        let command = Command::new(std::env::current_exe()?)
            .args(["train", "--quiet", "--auto-resume", "--set", &cache])
            .args(["--workers", &workers.to_string()])
            .arg("--out")
            .arg(&self.run)
            .arg(&self.experiment)
            .stdout(Stdio::null())
            .spawn();
        Ok(command?)
    }

    fn left_a_checkpoint_unfinished(&self) -> bool {
        let entries = std::fs::read_dir(self.run.join("checkpoints"));
        entries.into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.ends_with(".partial") || name.ends_with(".removed")
        })
    }
}

/// Whether a process ends by itself within a time.
fn ends_within(process: &mut Child, time: Duration) -> anyhow::Result<bool> {
    let deadline = Instant::now() + time;
    while Instant::now() < deadline {
        if process.try_wait()?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(process.try_wait()?.is_some())
}
