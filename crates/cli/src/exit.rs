//! Exit codes: 0 ok, 1 anything else, 2 configuration, 3 data, 4 diverged, 5 checkpoint, weights or run directory,
//! 130 interrupted.

use std::process::ExitCode;

/// Exit code of a run that somebody stopped: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// A mistake in the command line or configuration that only the program itself notices.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The documented exit code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(number_of(error))
}

/// The number of [`code_of`].
pub(crate) fn number_of(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<kiln_trainer::Error>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<crate::fetch::FetchError>() {
        return error.exit_code();
    }
    if error.is::<kiln_models::WeightsError>() {
        return 5;
    }
    if error.is::<Usage>() {
        return 2;
    }
    1
}
