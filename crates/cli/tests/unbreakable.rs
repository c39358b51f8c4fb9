//! Runs that are killed, stopped, starved and started again.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::workplace::Workplace;

fn config() -> String {
    format!("{}/../../configs/phase1.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Phase 1 at demo scale, made smaller still: four epochs of ten steps.
fn tiny<'a>(config: &'a str, out: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["train", config, "--out", out];
    for assignment in [
        "model.type=\"resnet20\"",
        "common.size=32",
        "common.batch.micro=6",
        "common.run_for.epochs=4",
        "data.source.train=60",
        "data.source.val=30",
        "data.source.side=32",
        "stage.train.checkpoint.every.steps=4",
    ] {
        arguments.extend(["--set", assignment]);
    }
    arguments
}

/// Losses and steps of all lines.
fn losses(run: &Path) -> Vec<[Value; 3]> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .map(|record| ["step", "train_loss", "val_loss"].map(|key| record[key].clone()))
        .collect()
}

#[test]
fn killed_runs_end_with_the_same_bits() {
    let place = Workplace::new();
    let said = place.ok(&["torture", "--kills", "8", "--seed", "3"]);
    assert!(said.contains("8 kills in"), "{said}");
}

#[test]
fn a_signal_writes_a_checkpoint_and_exits_130() {
    let place = Workplace::new();
    let config = config();
    place.ok(&tiny(&config, "whole"));
    for (signal, run) in [("-INT", "int"), ("-TERM", "term")] {
        let mut child = place.command(&tiny(&config, run)).spawn().unwrap();
        while !place.path(run).join("metrics.jsonl").exists() {
            assert!(child.try_wait().unwrap().is_none(), "ended before it began");
            std::thread::yield_now();
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        place.ok(&["resume", run, "--quiet"]);
        assert_eq!(losses(&place.path(run)), losses(&place.path("whole")));
    }
}

#[test]
fn a_time_limit_ends_like_a_signal_and_the_same_command_goes_on() {
    let place = Workplace::new();
    let config = config();
    place.ok(&tiny(&config, "whole"));
    let mut limited = tiny(&config, "run");
    limited.extend(["--auto-resume", "--time-limit", "0s"]);
    for _ in 0..2 {
        let output = place.kiln(&limited);
        assert_eq!(output.status.code(), Some(130), "{output:?}");
    }
    let without_limit = &limited[..limited.len() - 2];
    place.ok(without_limit);
    assert_eq!(losses(&place.path("run")), losses(&place.path("whole")));
    assert!(place.ok(without_limit).contains("is finished"));

    let message = place.fails(2, &[without_limit, &["--set", "seed=9"]].concat());
    assert!(message.contains("seed: 42 -> 9"), "{message}");
    let message = place.fails(2, &["resume", "run", "--set", "stage.train.run_for.epochs=8"]);
    assert!(message.contains("depends on the length of the stage"), "{message}");
    assert!(message.contains("--allow-changes"), "{message}");
}

#[test]
fn a_full_disk_loses_nothing_that_was_saved() {
    let place = Workplace::new();
    let config = config();
    place.ok(&tiny(&config, "whole"));
    let stopped = [&tiny(&config, "run")[..], &["--time-limit", "0s"]].concat();
    assert_eq!(place.kiln(&stopped).status.code(), Some(130));
    // No file may grow beyond 400 blocks of 512 or 1024 bytes, and the weights do; as on a full disk, writing them fails.
    let starved =
        format!("trap '' XFSZ; ulimit -f 400; exec '{}' resume run", env!("CARGO_BIN_EXE_kiln"));
    let output =
        Command::new("sh").args(["-c", &starved]).current_dir(place.path("")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert!(errors.contains("model.safetensors: File too large"), "{errors}");
    let left: Vec<_> = std::fs::read_dir(place.path("run/checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["stage01-epoch0000-step00000000"]);
    place.ok(&["resume", "run"]);
    assert_eq!(losses(&place.path("run")), losses(&place.path("whole")));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Workplace::new();
    std::fs::write(place.path("file"), "").unwrap();
    let message = place.fails(5, &tiny(&config(), "file/run"));
    assert!(message.contains("file"), "{message}");
}
