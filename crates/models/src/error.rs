//! What can be wrong with a model's settings or its weights.

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
        found: f64,
    },
    /// The weights have no tensor of that name.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// The state-dict name.
        name: String,
    },
    /// A tensor has another shape than the model's.
    #[error("tensor `{name}` has shape {found:?}, the model needs {expected:?}")]
    Shape {
        /// The state-dict name.
        name: String,
        /// The model's shape, in PyTorch's layout.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
}

/// Checks that a dropout probability is in `[0, 1)`.
pub(crate) fn check_probability(field: &'static str, found: f64) -> Result<(), Error> {
    if (0.0..1.0).contains(&found) {
        return Ok(());
    }
    Err(Error::OutOfRange { field, must_be: "at least 0 and below 1", found })
}
