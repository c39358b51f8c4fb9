//! `kiln report`.

use crate::arguments::ReportArguments;
use crate::output::say;
use kiln_analysis::Report;
use kiln_trainer::RunDirectory;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn report(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    say(write_report(&arguments.run)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes `report.html` into a run directory and returns its path.
pub(crate) fn write_report(run: &Path) -> Result<PathBuf, kiln_trainer::Error> {
    let (directory, _) = RunDirectory::open(run)?;
    let records = directory.records()?;
    let evaluation = directory.evaluation()?;
    let report = Report {
        name: &directory.name(),
        records: &records,
        evaluation: evaluation.as_ref(),
        config: &directory.config()?,
    };
    directory.write("report.html", report.to_html().as_bytes())?;
    Ok(directory.path().join("report.html"))
}
