//! Kiln's side.

use crate::table::Row;
use kiln_augment::{Domain, Image8, Pipeline, RandomKey, Size};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Pictures whose times are not counted.
const WARM_UP: usize = 4;

/// The decoded pictures.
pub(crate) struct Kiln {
    pictures: Vec<Image8>,
}

impl Kiln {
    pub(crate) fn decode(paths: &[PathBuf]) -> Result<Self, String> {
        let decode = |path: &PathBuf| {
            let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let picture = image::open(path).map_err(|error| at(&error))?.into_rgb8();
            let size = Size::new(picture.width(), picture.height());
            Image8::from_rgb(size, picture.into_raw()).map_err(|error| at(&error))
        };
        Ok(Self { pictures: paths.iter().map(decode).collect::<Result<_, _>>()? })
    }

    /// Seconds for each picture. An op consumes its picture, so each gets a copy made outside of the clock: it finds the
    /// picture in the caches, as right after decoding.
    pub(crate) fn measure(&self, row: &Row) -> Result<f64, String> {
        let pipeline = Pipeline::build(&row.pipeline, Size::square(224))
            .map_err(|error| format!("{}: {error}", row.name))?;
        let key = |index| RandomKey { seed: 1, domain: Domain::Augment, epoch: 0, index };
        let mut spent = Duration::ZERO;
        // The memory of one result is that of the next copy, as in a loader: no time goes to the system's allocator.
        let mut memory = Vec::new();
        let pictures = self.pictures.iter().take(WARM_UP).chain(&self.pictures);
        for (index, picture) in (0..).zip(pictures) {
            memory.clear();
            memory.extend_from_slice(picture.pixels());
            let copy =
                Image8::from_rgb(picture.size(), memory).map_err(|error| error.to_string())?;
            let began = Instant::now();
            let result = pipeline.apply(copy, key(index));
            if index >= WARM_UP as u64 {
                spent += began.elapsed();
            }
            memory = result.into_pixels();
        }
        Ok(spent.as_secs_f64() / self.pictures.len() as f64)
    }
}
