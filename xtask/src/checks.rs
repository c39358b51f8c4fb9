//! `cargo xtask test`: everything that must pass, cheapest first.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::tidy;
use crate::workspace::{Workspace, cargo};

/// Arguments of cargo, and variables to set for them.
type Check = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// No check asks for all features: the GPU backends need toolkits that most machines lack.
const CHECKS: [Check; 6] = [
    (&["fmt", "--all", "--check"], &[]),
    (&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
    // Unit tests, integration tests and doctests. The profile is the one that kiln runs with,
    // so Burn is built once for both.
    (&["test", "--workspace"], &[]),
    // People who depend on kiln-augment build it with overflow checks by default; the one profile
    // here has none.
    (
        &[
            "test",
            "--package",
            "kiln-augment",
            "--test",
            "properties",
            "--test",
            "golden",
            "--config",
            "profile.dev.package.kiln-augment.overflow-checks=true",
        ],
        &[],
    ),
    // JPEGs decoded in safe Rust.
    (&["test", "--package", "kiln-data", "--no-default-features"], &[]),
    (&["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")]),
];

/// Runs the checks until one fails.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let begin = Instant::now();
    println!("==> tidy");
    let problems = tidy::problems(workspace)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !verdict("tidy", begin, problems.is_empty()) {
        return Ok(ExitCode::FAILURE);
    }
    for (args, variables) in CHECKS {
        let shown = shown(args, variables);
        println!("==> {shown}");
        let start = Instant::now();
        let status = Command::new(cargo())
            .args(args)
            .envs(variables.iter().copied())
            .current_dir(&workspace.root)
            .status()
            .with_context(|| shown.clone())?;
        if !verdict(&shown, start, status.success()) {
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("==> all checks passed in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// Says how a check ended and passes its verdict on.
fn verdict(shown: &str, start: Instant, passed: bool) -> bool {
    let seconds = start.elapsed().as_secs_f64();
    if passed {
        println!("    ok in {seconds:.1} s");
    } else {
        eprintln!("==> FAILED after {seconds:.1} s: {shown} (what comes after it was not run)");
    }
    passed
}

/// The command as one would type it.
fn shown(args: &[&str], variables: &[(&str, &str)]) -> String {
    let mut words: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    words.push("cargo".to_owned());
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, shown};

    #[test]
    fn commands_are_shown_as_typed() {
        assert_eq!(shown(&["fmt", "--all"], &[]), "cargo fmt --all");
        assert_eq!(shown(&["doc"], &[("A", "-D b")]), "A='-D b' cargo doc");
    }

    #[test]
    fn no_check_asks_for_all_features() {
        for (args, _) in CHECKS {
            assert!(!args.contains(&"--all-features"), "{args:?}");
        }
    }
}
