//! How many: a number, or a range that one is drawn from.

use crate::key::OpRng;
use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Serialize};

/// A whole number drawn uniformly from `min` to `max`, both included. In configurations `3` or `[1, 3]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "OneOrList<u32>", into = "OneOrList<u32>")]
pub struct Count {
    /// The smallest.
    pub min: u32,
    /// The largest.
    pub max: u32,
}

impl Count {
    /// Always the same.
    pub const fn exactly(count: u32) -> Self {
        Self { min: count, max: count }
    }

    /// One draw.
    pub(crate) fn draw(self, rng: &mut OpRng) -> u32 {
        rng.integer(self.min, self.max)
    }
}

impl TryFrom<OneOrList<u32>> for Count {
    type Error = String;

    fn try_from(setting: OneOrList<u32>) -> Result<Self, Self::Error> {
        match setting {
            OneOrList::One(count) => Ok(Self::exactly(count)),
            OneOrList::List(numbers) => match numbers[..] {
                [min, max] => Ok(Self { min, max }),
                _ => Err(format!("a range takes 2 numbers, found {}", numbers.len())),
            },
        }
    }
}

impl From<Count> for OneOrList<u32> {
    fn from(Count { min, max }: Count) -> Self {
        if min == max { Self::One(min) } else { Self::List(vec![min, max]) }
    }
}
