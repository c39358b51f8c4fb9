//! What a data set consists of, for people to look at before they train on it.

use crate::decode::{self, BadImage};
use crate::listing::Listing;
use image::ImageFormat;
use kiln_augment::Size;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What one split consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The folder that holds the class folders.
    pub root: PathBuf,
    /// Number of samples.
    pub samples: u64,
    /// Size of all files in bytes.
    pub file_bytes: u64,
    /// The listing's fingerprint.
    pub fingerprint: String,
    /// Samples of each class, in label order.
    pub classes: Vec<ClassCount>,
    /// Number of files of each format, by content.
    pub formats: BTreeMap<String, u64>,
    /// Range of widths in pixels; absent if no header could be read.
    pub width: Option<Range>,
    /// Range of heights in pixels; absent if no header could be read.
    pub height: Option<Range>,
    /// Files that are no pictures or were cut off, in the listing's order.
    pub broken: Vec<BrokenFile>,
}

/// A class and its number of samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub name: String,
    /// Its samples.
    pub samples: u32,
}

/// The spread of a length in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The smallest.
    pub min: u32,
    /// The one in the middle (the lower of two).
    pub median: u32,
    /// The largest.
    pub max: u32,
}

/// A file that is no usable picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenFile {
    /// The file.
    pub path: PathBuf,
    /// What the reader or decoder said.
    pub why: String,
}

/// Describes the samples of `listing`. Reads files in parallel but decodes no pixels: a JPEG that was cut off is
/// noticed, other damage behind the header is not. Cannot fail; files that cannot be read are listed as broken.
pub fn describe(listing: &Listing) -> Description {
    let read: Vec<Result<Header, BadImage>> =
        (0..listing.count()).into_par_iter().map(|i| read_header(&listing.path(i))).collect();
    let mut formats = BTreeMap::new();
    let (mut widths, mut heights, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in read {
        match outcome {
            Ok(header) => {
                *formats.entry(header.format.to_owned()).or_insert(0) += 1;
                widths.push(header.width);
                heights.push(header.height);
            }
            Err(BadImage { path, why }) => broken.push(BrokenFile { path, why }),
        }
    }
    let classes = listing.class_names().iter().zip(listing.class_counts());
    Description {
        root: listing.root().to_path_buf(),
        samples: listing.len() as u64,
        file_bytes: (0..listing.count()).map(|i| u64::from(listing.file_bytes(i))).sum(),
        fingerprint: listing.fingerprint(),
        classes: classes
            .map(|(name, samples)| ClassCount { name: name.clone(), samples })
            .collect(),
        formats,
        width: Range::of(widths),
        height: Range::of(heights),
        broken,
    }
}

impl Range {
    fn of(mut values: Vec<u32>) -> Option<Self> {
        values.sort_unstable();
        let median = *values.get(values.len().checked_sub(1)? / 2)?;
        Some(Self { min: *values.first()?, median, max: *values.last()? })
    }
}

struct Header {
    format: &'static str,
    width: u32,
    height: u32,
}

fn read_header(path: &Path) -> Result<Header, BadImage> {
    let header = fs::read(path).map_err(|error| error.to_string()).and_then(|bytes| {
        let (format, Size { width, height }) = decode::read_header(&bytes)?;
        let format = if format == ImageFormat::Png { "png" } else { "jpeg" };
        Ok(Header { format, width, height })
    });
    header.map_err(|why| BadImage { path: path.to_path_buf(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_lower() {
        assert_eq!(Range::of(vec![]), None);
        assert_eq!(Range::of(vec![4, 1, 3, 2]), Some(Range { min: 1, median: 2, max: 4 }));
    }
}
