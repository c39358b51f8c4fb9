//! The workspace's own commands: `cargo xtask NAME` runs the experiment `configs/NAME.toml`.
//!
//! It depends on no crate of Kiln, so that it builds in seconds and can then build `kiln` with
//! the one backend that was asked for.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its user"
)]

mod checks;
mod device;
mod experiments;
mod nearest;
mod process;
mod smoke;
mod tidy;
mod usage;
mod workspace;

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            // The code that kiln documents for a wrong command line or configuration.
            ExitCode::from(2)
        }
    }
}

fn dispatch() -> Result<ExitCode> {
    let mut args = env::args_os().skip(1);
    let name = args.next().unwrap_or_else(|| OsString::from("help"));
    let rest: Vec<OsString> = args.collect();
    let workspace = Workspace::find();
    match name.to_string_lossy().as_ref() {
        "help" | "--help" | "-h" => {
            // A closed pipe (`cargo xtask | head`) is no error.
            let _ = std::io::stdout().write_all(usage::text(&workspace)?.as_bytes());
            Ok(ExitCode::SUCCESS)
        }
        "test" => no_flags("test", &rest).and_then(|()| checks::run(&workspace)),
        "tidy" => no_flags("tidy", &rest).and_then(|()| tidy::run(&workspace)),
        "smoke" => smoke::run(&workspace, &rest),
        "bench" if rest.first().is_some_and(|what| what == "augment") => {
            process::become_example("throughput", &rest[1..])
        }
        "bench" => process::become_kiln(device::feature(&rest)?, [OsString::from("bench")], &rest),
        "gpu-check" => {
            process::become_kiln(device::feature(&rest)?, [OsString::from("device-check")], &rest)
        }
        "compare" => {
            process::become_kiln(device::feature(&rest)?, [OsString::from("compare")], &rest)
        }
        "torture" => {
            process::become_kiln(device::feature(&rest)?, [OsString::from("torture")], &rest)
        }
        experiment => {
            let config = experiments::config_path(&workspace, experiment)?;
            process::become_kiln(
                device::feature(&rest)?,
                [OsString::from("train"), config.into_os_string()],
                &rest,
            )
        }
    }
}

/// Refuses flags that would otherwise be dropped in silence.
fn no_flags(command: &str, rest: &[OsString]) -> Result<()> {
    if let Some(flag) = rest.first() {
        bail!("`{command}` takes no arguments, but got `{}`", flag.to_string_lossy());
    }
    Ok(())
}
