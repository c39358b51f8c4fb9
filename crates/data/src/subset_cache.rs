//! Subsets kept on disk, so that a run can be shown to have used the same pictures as another.

use crate::atomic_file;
use crate::error::Error;
use crate::listing::Listing;
use crate::subset::{check_balance, check_fraction, subset};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

const FORMAT: u32 = 1;

/// How [`cached_subset`] came by its indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was no cache file; it was written.
    Fresh,
    /// The cache file was valid.
    Reused,
    /// The cache file was stale or damaged; it was replaced.
    Rebuilt {
        /// What was wrong with it.
        why: String,
    },
}

/// What is on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubsetRecord {
    format: u32,
    seed: u64,
    fraction: f64,
    /// Of the listing that the indices count in.
    fingerprint: String,
    indices: Vec<u32>,
}

/// As [`subset`], kept in `cache_dir` (made if it is missing), which should belong to one data set.
///
/// The file is `subset-FRACTION-seed-SEED.json`. It is taken only if its format, seed, fraction, the listing's
/// fingerprint and the balance of classes all agree; otherwise it is replaced, with a warning and the reason in
/// the [`Outcome`]. It is written beside its place and renamed, so a reader never sees half of it.
///
/// # Errors
/// Those of [`subset`], and [`Error::Io`] when the folder or file cannot be written or an existing file not read.
pub fn cached_subset(
    cache_dir: &Path,
    listing: &Listing,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<u32>, Outcome), Error> {
    check_fraction(fraction)?;
    let path = cache_path(cache_dir, fraction, seed);
    let fingerprint = listing.fingerprint();
    let outcome = match fs::read(&path) {
        Ok(bytes) => match usable(&bytes, listing, &fingerprint, fraction, seed) {
            Ok(indices) => {
                tracing::info!(path = %path.display(), samples = indices.len(), "subset reused");
                return Ok((indices, Outcome::Reused));
            }
            Err(why) => {
                tracing::warn!(path = %path.display(), why, "subset rebuilt");
                Outcome::Rebuilt { why }
            }
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Outcome::Fresh,
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let indices = subset(listing, fraction, seed)?;
    let record = SubsetRecord { format: FORMAT, seed, fraction, fingerprint, indices };
    let json = serde_json::to_vec(&record)
        .map_err(|error| Error::io("write", &path)(io::Error::other(error)))?;
    atomic_file::write(&path, &json)?;
    Ok((record.indices, outcome))
}

fn cache_path(cache_dir: &Path, fraction: f64, seed: u64) -> PathBuf {
    cache_dir.join(format!("subset-{fraction}-seed-{seed}.json"))
}

/// The indices in `bytes`, or why they cannot be used.
fn usable(
    bytes: &[u8],
    listing: &Listing,
    fingerprint: &str,
    fraction: f64,
    seed: u64,
) -> Result<Vec<u32>, String> {
    let record: SubsetRecord =
        serde_json::from_slice(bytes).map_err(|error| format!("it is damaged: {error}"))?;
    if record.format != FORMAT {
        return Err(format!("its format is {}, not {FORMAT}", record.format));
    }
    if record.seed != seed || record.fraction != fraction {
        return Err(format!("it is for fraction {} and seed {}", record.fraction, record.seed));
    }
    if record.fingerprint != fingerprint {
        return Err("the data set has changed since".to_owned());
    }
    let ascending = record.indices.is_sorted_by(|a, b| a < b);
    if !ascending || record.indices.last().is_some_and(|&last| last >= listing.count()) {
        return Err("its indices are out of order or out of range".to_owned());
    }
    check_balance(listing, &record.indices, fraction).map_err(|error| error.to_string())?;
    Ok(record.indices)
}
