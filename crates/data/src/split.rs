//! Splitting one listing into training and validation samples, class by class.

use crate::error::Error;
use crate::listing::Listing;
use kiln_augment::{Domain, RandomKey};

/// Indices of the two parts, each ascending. Together they are all samples, and no sample is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Samples to train on.
    pub train: Vec<u32>,
    /// Samples to validate on.
    pub val: Vec<u32>,
}

/// Takes `val_fraction` of each class for validation, rounded to the nearest count.
///
/// A class of two or more samples has at least one on either side; a class of one is for training, with a
/// warning. The choice in one class depends on the seed, the class's position and its number of samples only.
///
/// # Errors
/// [`Error::OutOfRange`] when `val_fraction` is not above 0 and below 1; [`Error::NothingToSplit`] when no class
/// has two samples.
pub fn split(listing: &Listing, val_fraction: f64, seed: u64) -> Result<Split, Error> {
    check_val_fraction(val_fraction)?;
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (class, mut members) in (0_u64..).zip(listing.by_class()) {
        let taken = match members.len() {
            0 => continue,
            1 => {
                let name = &listing.class_names()[listing.class(members[0]) as usize];
                tracing::warn!(class = name, "a class of one picture is not validated");
                0
            }
            n => nearest(n, val_fraction).clamp(1, n - 1),
        };
        RandomKey { seed, domain: Domain::Split, epoch: 0, index: class }
            .rng(0)
            .shuffle(&mut members);
        val.extend_from_slice(&members[..taken]);
        train.extend_from_slice(&members[taken..]);
    }
    if val.is_empty() {
        return Err(Error::NothingToSplit { path: listing.root().to_path_buf() });
    }
    train.sort_unstable();
    val.sort_unstable();
    Ok(Split { train, val })
}

pub(crate) fn check_val_fraction(val_fraction: f64) -> Result<(), Error> {
    if val_fraction > 0.0 && val_fraction < 1.0 {
        return Ok(());
    }
    Err(Error::OutOfRange {
        field: "val_fraction",
        must_be: "above 0 and below 1",
        found: val_fraction.to_string(),
    })
}

/// `n * fraction` rounded half away from zero, for a fraction in `[0, 1]`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product lies between 0 and n, which counts samples and is below 2^32"
)]
pub(crate) fn nearest(n: usize, fraction: f64) -> usize {
    (n as f64 * fraction).round() as usize
}
