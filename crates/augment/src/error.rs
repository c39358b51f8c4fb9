//! What can be wrong with an op's settings or a picture's bytes.

use crate::image::{Channels, Size};
use std::fmt::Debug;

/// Errors of this crate. All of them arise at construction; applying an op cannot fail.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The bytes do not make a picture of that size.
    #[error("a {size} {channels:?} picture has {expected} bytes (and no side of 0), found {found}")]
    PixelCount {
        /// The size asked for.
        size: Size,
        /// What each pixel has.
        channels: Channels,
        /// Bytes that this needs.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
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
    /// A setting of an op inside of another op.
    #[error("ops[{position}] ({op}): {source}")]
    InOp {
        /// The op's place in the list, from 0.
        position: usize,
        /// The op's name.
        op: &'static str,
        /// What is wrong there.
        source: Box<Error>,
    },
}

/// [`Error::OutOfRange`] unless `accepted`.
pub(crate) fn check(
    accepted: bool,
    field: &'static str,
    must_be: &'static str,
    found: impl Debug,
) -> Result<(), Error> {
    if accepted {
        return Ok(());
    }
    Err(Error::OutOfRange { field, must_be, found: format!("{found:?}") })
}

/// Checks the setting `p` of an op that acts sometimes.
pub(crate) fn check_probability(p: f64) -> Result<(), Error> {
    check_part("p", p)
}

/// Checks a setting that is a probability or a part of something.
pub(crate) fn check_part(field: &'static str, part: f64) -> Result<(), Error> {
    check((0.0..=1.0).contains(&part), field, "from 0 to 1", part)
}

/// Refuses a colour where none is shown: a setting that is accepted has an effect.
pub(crate) fn check_fill(shown: bool, fill: [u8; 3]) -> Result<(), Error> {
    check(shown || fill == [0; 3], "fill", "left out where the border is not constant", fill)
}
