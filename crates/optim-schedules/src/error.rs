//! What can be wrong with an optimizer's or a schedule's settings or saved state.

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A setting is outside its range.
    #[error("{field} must be {must_be}, found {found}")]
    OutOfRange {
        /// The setting's name as in the configuration.
        field: &'static str,
        /// The accepted values in words.
        must_be: &'static str,
        /// What was given.
        found: String,
    },
    /// A saved optimizer state does not fit the model or the update rule.
    #[error("optimizer state of `{parameter}`: {problem}")]
    State {
        /// The parameter's name.
        parameter: String,
        /// What does not fit.
        problem: String,
    },
}

/// Checks one setting.
pub(crate) fn check(
    holds: bool,
    field: &'static str,
    must_be: &'static str,
    found: impl std::fmt::Display,
) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(Error::OutOfRange { field, must_be, found: found.to_string() })
}
