//! Jobs of several processes under `mpirun`: built with the feature `mpi`, on a machine with MPI.
#![cfg(feature = "mpi")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use support::workplace::Workplace;

/// Steps so small that sums in another order stay small differences, and a partial step at the end of each epoch.
const EXPERIMENT: &str = r#"
seed = 7
stages = ["only"]
[data]
source = { type = "synth", train = 61, val = 21, classes = 4, side = 32 }
[model]
type = "resnet20"
[trainer]
log_every_steps = 1
[common]
size = 32
batch = { micro = 8, drop_last = false }
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
optimizer = { type = "sgd", momentum = 0.0 }
schedule = { type = "constant", lr = 5e-4 }
clip_grad_norm = 1.0
checkpoint = { every = { steps = 3 } }
"#;

/// `program` in `ranks` processes, more than there are cores if need be.
fn mpirun(place: &Workplace, ranks: usize, program: &[&str]) -> Output {
    let mut command = Command::new("mpirun");
    command.args(["--oversubscribe", "-n", &ranks.to_string()]).args(program);
    command.current_dir(place.path(""));
    // In a container tests run as root.
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    // One machine: no network is looked for.
    command.env("OMPI_MCA_btl", "self,vader").env("RAYON_NUM_THREADS", "1");
    command.output().unwrap()
}

/// `kiln` likewise.
fn kiln(place: &Workplace, ranks: usize, arguments: &[&str]) -> Output {
    mpirun(place, ranks, &[&[env!("CARGO_BIN_EXE_kiln")], arguments].concat())
}

fn ok(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn place() -> Workplace {
    let place = Workplace::new();
    std::fs::write(place.path("small.toml"), EXPERIMENT).unwrap();
    place
}

/// Losses of steps and epochs, without times.
fn losses(run: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let losses = lines.flat_map(|line| [line["train_loss"].as_f64(), line["val_loss"].as_f64()]);
    losses.flatten().collect()
}

fn evaluation(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("evaluation.json")).unwrap()).unwrap()
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn one_two_and_four_ranks_train_the_same_network() {
    let place = place();
    let sync = ["--set", "trainer.sync_batch_norm=true"];
    place.ok(&["train", "small.toml", "--out", "alone"]);
    let expected = losses(&place.path("alone"));
    for ranks in [1, 2, 4] {
        let name = format!("ranks-{ranks}");
        let arguments = [&["train", "small.toml", "--out", &name], &sync[..]].concat();
        ok(&kiln(&place, ranks, &arguments));
        let found = losses(&place.path(&name));
        let apart = largest_difference(&expected, &found);
        assert!(apart < 1e-4, "{ranks} ranks: {apart}");
        let evaluation = evaluation(&place.path(&name));
        assert_eq!(evaluation["samples"], 21, "every picture once");
        let lines = std::fs::read_to_string(place.path(&name).join("metrics.jsonl")).unwrap();
        assert_eq!(lines.lines().count(), 18, "one rank writes");
    }
}

#[test]
fn a_job_that_is_interrupted_continues_on_all_ranks() {
    let place = place();
    ok(&kiln(&place, 2, &["train", "small.toml", "--out", "whole"]));
    // At once: as soon as the first step is done.
    let part = kiln(&place, 2, &["train", "small.toml", "--out", "part", "--time-limit", "1ms"]);
    assert_eq!(part.status.code(), Some(130), "{}", String::from_utf8_lossy(&part.stderr));
    let alone = place.command(&["resume", "part"]).output().unwrap();
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(said.contains("trained by 2 ranks") && said.contains("--allow-changes"), "{said}");
    ok(&kiln(&place, 2, &["resume", "part"]));
    assert_eq!(losses(&place.path("whole")), losses(&place.path("part")));
    assert_eq!(evaluation(&place.path("whole")), evaluation(&place.path("part")));
}

#[test]
fn an_error_ends_the_job_with_its_exit_code_and_one_message() {
    let place = place();
    let odd = kiln(&place, 3, &["train", "small.toml", "--out", "odd"]);
    let said = String::from_utf8_lossy(&odd.stderr);
    assert_eq!(odd.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("3 ranks cannot share").count(), 1, "{said}");
    assert!(!place.path("odd").exists());
    let alone = kiln(&place, 2, &["evaluate", "nowhere"]);
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(said.contains("only `train` and `resume` share their work"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_rank_that_is_killed_ends_the_job_with_the_last_checkpoint_intact() {
    let place = place();
    // The second rank is killed as soon as there is a checkpoint.
    let script = format!(
        "if [ \"$OMPI_COMM_WORLD_RANK\" = 1 ]; then \
           (until ls killed/checkpoints/stage*; do sleep 0.05; done; kill -9 $$) & \
         fi; exec {} train small.toml --out killed --set common.run_for.epochs=400",
        env!("CARGO_BIN_EXE_kiln")
    );
    let ended = mpirun(&place, 2, &["sh", "-c", &script]);
    assert!(!ended.status.success(), "the job does not go on without a rank");
    let continued = kiln(&place, 2, &["resume", "killed", "--time-limit", "1ms"]);
    let said = String::from_utf8_lossy(&continued.stdout);
    assert_eq!(continued.status.code(), Some(130), "{said}");
    assert!(said.contains("continuing from") && !said.contains("damaged"), "{said}");
}
