//! Handing over to kiln, or to an example of kiln-augment.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::workspace::cargo;

/// Builds kiln with `feature` and runs it with `command` and then `flags`; its exit code is ours.
pub(crate) fn become_kiln<const N: usize>(
    feature: Option<&'static str>,
    command: [OsString; N],
    flags: &[OsString],
) -> Result<ExitCode> {
    let mut cargo = Command::new(cargo());
    cargo.args(kiln_args(feature)).args(command).args(flags);
    hand_over(cargo)
}

/// Builds an example of kiln-augment, which takes seconds, and runs it with `flags`.
pub(crate) fn become_example(name: &str, flags: &[OsString]) -> Result<ExitCode> {
    let mut cargo = Command::new(cargo());
    cargo.args(["run", "--package", "kiln-augment", "--example", name, "--"]).args(flags);
    hand_over(cargo)
}

/// The arguments of cargo up to the `--` that separates kiln's own.
pub(crate) fn kiln_args(feature: Option<&'static str>) -> Vec<&'static str> {
    let mut args = vec!["run", "--package", "kiln-cli", "--bin", "kiln"];
    if let Some(feature) = feature {
        args.extend(["--features", feature]);
    }
    args.push("--");
    args
}

/// Replaces this process by cargo, which in turn replaces itself by kiln.
///
/// Ctrl-C then reaches kiln and nothing else: no parent dies first and hands the terminal back
/// while kiln still writes its checkpoint, and the exit code (130) is kiln's own.
#[cfg(unix)]
fn hand_over(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    use anyhow::Context;

    let program = command.get_program().to_owned();
    Err(command.exec()).with_context(|| program.to_string_lossy().into_owned())
}

/// Starts cargo and waits for it, where a process cannot be replaced.
#[cfg(not(unix))]
fn hand_over(mut command: Command) -> Result<ExitCode> {
    use anyhow::Context;

    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| program.to_string_lossy().into_owned())?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::kiln_args;

    #[test]
    fn a_feature_is_passed_only_when_there_is_one() {
        assert_eq!(kiln_args(None).join(" "), "run --package kiln-cli --bin kiln --");
        assert_eq!(
            kiln_args(Some("wgpu")).join(" "),
            "run --package kiln-cli --bin kiln --features wgpu --"
        );
    }
}
