//! Every experiment from beginning to end, at the scale of the overlay `quick`, on generated pictures.

use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::device;
use crate::experiments;
use crate::process::kiln_args;
use crate::workspace::{Workspace, cargo};

/// Runs all experiments; `flags`, such as `--device`, go to each. The runs are left in `runs/smoke`.
pub(crate) fn run(workspace: &Workspace, flags: &[OsString]) -> Result<ExitCode> {
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
    let feature = device::feature(flags)?;
    let experiments = experiments::list(workspace)?;
    for experiment in &experiments {
        let name = &experiment.name;
        println!("==> {name}");
        let config = workspace.root.join("configs").join(format!("{name}.toml"));
        let status = Command::new(cargo())
            .args(kiln_args(feature))
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
