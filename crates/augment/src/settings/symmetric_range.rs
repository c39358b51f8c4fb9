//! Ranges about zero, as torchvision and albumentations write them.

use crate::error::{Error, check};
use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Serialize};

/// The range that an amount is drawn from: `30` for 30 to either side of 0, or `[-10, 30]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OneOrList<f64>", into = "OneOrList<f64>")]
pub struct SymmetricRange {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl SymmetricRange {
    /// Up to `amount` to either side.
    pub const fn around(amount: f64) -> Self {
        Self { min: -amount, max: amount }
    }

    /// Its bounds, in order and from `lowest` to `highest`.
    pub(crate) fn within(
        self,
        [lowest, highest]: [f64; 2],
        field: &'static str,
        must_be: &'static str,
    ) -> Result<[f64; 2], Error> {
        let Self { min, max } = self;
        let accepted = lowest <= min && min <= max && max <= highest;
        // What was written: one number stands for both bounds.
        if min == -max {
            check(accepted, field, must_be, max)?;
        } else {
            check(accepted, field, must_be, [min, max])?;
        }
        Ok([min, max])
    }

    /// Its bounds as angles in degrees.
    pub(crate) fn angles(self, field: &'static str) -> Result<[f64; 2], Error> {
        self.within(
            [-36_000.0, 36_000.0],
            field,
            "from 0 to 36000 degrees, or [min, max] with -36000 <= min <= max <= 36000",
        )
    }
}

impl TryFrom<OneOrList<f64>> for SymmetricRange {
    type Error = String;

    fn try_from(setting: OneOrList<f64>) -> Result<Self, Self::Error> {
        match setting {
            OneOrList::One(amount) => Ok(Self::around(amount)),
            OneOrList::List(numbers) => match numbers[..] {
                [min, max] => Ok(Self { min, max }),
                _ => Err(format!("a range takes 2 numbers, found {}", numbers.len())),
            },
        }
    }
}

impl From<SymmetricRange> for OneOrList<f64> {
    fn from(SymmetricRange { min, max }: SymmetricRange) -> Self {
        if min == -max { Self::One(max) } else { Self::List(vec![min, max]) }
    }
}
