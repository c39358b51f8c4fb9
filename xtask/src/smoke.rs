//! Every experiment from beginning to end, at the scale of the overlay `quick`, on generated pictures; or another device
//! than the CPU, compared with it.

use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::device;
use crate::experiments;
use crate::process::kiln_args;
use crate::workspace::{Workspace, cargo};

/// Runs all experiments on the CPU; `flags` go to each. The runs are left in `runs/smoke`. With another `--device`, compares
/// what that computes with the CPU instead.
pub(crate) fn run(workspace: &Workspace, flags: &[OsString]) -> Result<ExitCode> {
    match device::feature(flags)? {
        None => experiments_on_the_cpu(workspace, flags),
        Some(feature) => on_device(feature, flags),
    }
}

/// A small network on the device and on the CPU: passes, training, resuming, scoring. On wgpu, with and without the fusion
/// of kernels, which are two builds; neither searches for the fastest kernels, for which a software driver takes minutes.
fn on_device(feature: &'static str, flags: &[OsString]) -> Result<ExitCode> {
    let builds = if feature == "wgpu" { vec!["wgpu-plain", "wgpu-fused"] } else { vec![feature] };
    for feature in builds {
        println!("==> {feature}");
        let status = Command::new(cargo())
            .args(kiln_args(Some(feature)))
            .args(["device-check", "--parity-only", "--quick"])
            .args(flags)
            .status()
            .context(feature)?;
        if !status.success() {
            eprintln!("==> FAILED: {feature} (what comes after it was not run)");
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn experiments_on_the_cpu(workspace: &Workspace, flags: &[OsString]) -> Result<ExitCode> {
    let begin = Instant::now();
    let runs = workspace.root.join("runs").join("smoke");
    if runs.exists() {
        fs::remove_dir_all(&runs).with_context(|| runs.display().to_string())?;
    }
    for flag in flags {
        let flag = flag.to_string_lossy();
        let own = ["--data", "--out", "--overlay"];
        if own.iter().any(|own| flag == *own || flag.starts_with(&format!("{own}="))) {
            bail!("`smoke` chooses {} itself", own.join(", "));
        }
    }
    let experiments = experiments::list(workspace)?;
    for experiment in &experiments {
        let name = &experiment.name;
        println!("==> {name}");
        let config = workspace.root.join("configs").join(format!("{name}.toml"));
        let status = Command::new(cargo())
            .args(kiln_args(None))
            .arg("train")
            .arg(config)
            .args(["--overlay", "quick", "--out"])
            .arg(runs.join(name))
            .args(flags)
            .status()
            .with_context(|| name.clone())?;
        if !status.success() {
            eprintln!("==> FAILED: {name} (what comes after it was not run)");
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("==> {} experiments ran to their ends in {seconds:.1} s", experiments.len());
    Ok(ExitCode::SUCCESS)
}
