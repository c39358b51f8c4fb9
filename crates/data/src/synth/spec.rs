//! What a user says about a generated data set.

use crate::error::Error;
use kiln_augment::{Domain, RandomKey};
use serde::{Deserialize, Serialize};

/// The classes, in alphabetical order, so that labels are the same before and after a trip through folders.
pub const CLASSES: [&str; 10] = [
    "arrow", "circle", "crescent", "cross", "heart", "hexagon", "ring", "square", "star",
    "triangle",
];

/// A generated data set. Picture `i` of a part has class `i % classes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthSpec {
    /// Training pictures.
    pub train: u32,
    /// Validation pictures.
    pub val: u32,
    /// Classes: the first so many of [`CLASSES`], 2 to 10.
    pub classes: u32,
    /// Width and height of every picture in pixels, 16 to 1024.
    pub side: u32,
    /// Seed of everything that is random about the pictures; not the experiment's seed.
    pub seed: u64,
}

impl Default for SynthSpec {
    /// 2000 + 500 pictures of 96 px in 10 classes.
    fn default() -> Self {
        Self { train: 2000, val: 500, classes: 10, side: 96, seed: 0 }
    }
}

/// Which pictures of a generated data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Those to train on.
    Train,
    /// Those to validate on.
    Val,
}

impl Part {
    /// Both, in the order in which they are written.
    pub const ALL: [Self; 2] = [Self::Train, Self::Val];

    /// The name of its folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }
}

impl SynthSpec {
    /// Checks the ranges of all fields. A part has at least one picture of each class.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the field.
    pub fn validate(&self) -> Result<(), Error> {
        let check = |ok: bool, field, must_be, found: u32| {
            if ok {
                return Ok(());
            }
            Err(Error::OutOfRange { field, must_be, found: found.to_string() })
        };
        check((2..=10).contains(&self.classes), "classes", "2 to 10", self.classes)?;
        check((16..=1024).contains(&self.side), "side", "16 to 1024", self.side)?;
        check(self.train >= self.classes, "train", "at least the number of classes", self.train)?;
        check(self.val >= self.classes, "val", "at least the number of classes", self.val)
    }

    /// Number of pictures in `part`.
    pub const fn count(&self, part: Part) -> u32 {
        match part {
            Part::Train => self.train,
            Part::Val => self.val,
        }
    }

    /// The class of picture `index` of either part.
    pub const fn class(&self, index: u32) -> u32 {
        // Only a spec that was not validated has no classes.
        if self.classes == 0 { 0 } else { index % self.classes }
    }

    /// Where the randomness of a picture comes from: the part takes the epoch's place.
    pub(super) fn key(&self, part: Part, index: u32) -> RandomKey {
        RandomKey {
            seed: self.seed,
            domain: Domain::Synth,
            epoch: part as u64,
            index: u64::from(index),
        }
    }
}
