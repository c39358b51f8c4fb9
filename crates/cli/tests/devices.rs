//! Devices and jobs by name, and what is said of those that are not there.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use support::workplace::Workplace;

#[test]
fn the_cpu_is_always_there() {
    let place = Workplace::new();
    let listed: Value = serde_json::from_str(&place.ok(&["devices", "--json"])).unwrap();
    let first = &listed["devices"][0];
    assert_eq!(first["device"], "flex");
    assert_eq!(first["dtypes"], serde_json::json!(["f32", "f16", "bf16"]));
    let said = place.ok(&["devices"]);
    let auto = listed["auto"].as_str().unwrap();
    assert!(said.contains("flex") && said.contains(&format!("takes {auto}")), "{said}");
    for missing in listed["not_built"].as_array().unwrap() {
        assert!(said.contains(missing.as_str().unwrap()), "{said}");
    }
}

#[test]
fn a_device_that_cannot_be_had_is_refused_before_anything_is_written() {
    let place = Workplace::new();
    let config = format!("{}/../../configs/phase1.toml", env!("CARGO_MANIFEST_DIR"));
    let listed: Value = serde_json::from_str(&place.ok(&["devices", "--json"])).unwrap();
    for missing in listed["not_built"].as_array().unwrap() {
        let name = missing.as_str().unwrap();
        let said = place.fails(2, &["train", &config, "--out", "run", "--device", name]);
        assert!(said.contains(&format!("this build has no device `{name}`")), "{said}");
        assert!(said.contains(&format!("--features {name}")), "{said}");
    }
    for wrong in ["gpu", "flex:1", "cuda:first", "wgpu:fast"] {
        let said = place.fails(2, &["train", &config, "--out", "run", "--device", wrong]);
        assert!(said.contains(wrong), "{said}");
    }
    assert!(!place.path("run").exists());
}

#[test]
fn a_device_check_of_the_cpu_agrees_with_itself() {
    let place = Workplace::new();
    let said = place.ok(&["device-check", "--device", "flex", "--parity-only", "--quick"]);
    assert!(said.contains("the device agrees with the CPU"), "{said}");
    assert!(!said.contains("TOO FAR"), "{said}");
    let said = place.fails(2, &["device-check", "--device", "flex", "--only", "resnet51@224"]);
    assert!(said.contains("resnet50@224"), "{said}");
}

#[test]
#[cfg(not(feature = "mpi"))]
fn processes_that_cannot_talk_to_each_other_do_not_train_apart() {
    let place = Workplace::new();
    for (arguments, expected) in
        [(["train", "phase1"], "--features mpi"), (["evaluate", "run"], "start this one alone")]
    {
        let mut command = place.command(&arguments);
        let output = command.env("OMPI_COMM_WORLD_SIZE", "2").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
