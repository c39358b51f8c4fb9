//! What people read: the help text, and an experiment with all its layers merged.
#![allow(missing_docs, reason = "a test")]

use std::process::Command;

fn kiln(arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    let output = command.args(arguments).current_dir(folder).env_clear().output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

#[test]
fn help() {
    insta::assert_snapshot!(kiln(&["--help"]));
}

#[test]
fn help_of_train() {
    insta::assert_snapshot!(kiln(&["train", "--help"]));
}

#[test]
fn phase1_with_data() {
    insta::assert_snapshot!(kiln(&["config", "show", "phase1", "--data", "/pictures"]));
}

#[test]
fn phase1_without_data() {
    insta::assert_snapshot!(kiln(&["config", "show", "phase1"]));
}
