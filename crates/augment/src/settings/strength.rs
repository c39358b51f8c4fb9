//! How strongly a colour adjustment may act.

use crate::error::{Error, check};
use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Serialize};

/// The range that a factor is drawn from, as torchvision writes it: `0.4` for 0.4 around the neutral factor, or
/// `[0.8, 1.5]` for a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OneOrList<f64>", into = "OneOrList<f64>")]
pub enum Strength {
    /// Up to this much below and above the neutral factor.
    Around(f64),
    /// From the first to the second.
    Between(f64, f64),
}

/// No adjustment.
impl Default for Strength {
    fn default() -> Self {
        Self::Around(0.0)
    }
}

impl Strength {
    /// Whether it is the default, which need not be written down.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The range of a factor whose neutral value is 1, or `None` if it is always neutral.
    pub(crate) fn of_factor(self, field: &'static str) -> Result<Option<[f64; 2]>, Error> {
        const MUST_BE: &str = "at least 0, or [min, max] with 0 <= min <= max";
        let [low, high] = match self {
            Self::Around(amount) => {
                check(amount >= 0.0, field, MUST_BE, amount)?;
                [(1.0 - amount).max(0.0), 1.0 + amount]
            }
            Self::Between(low, high) => [low, high],
        };
        check(0.0 <= low && low <= high && high < f64::INFINITY, field, MUST_BE, [low, high])?;
        Ok((low != 1.0 || high != 1.0).then_some([low, high]))
    }

    /// The range of a turn of the colour wheel, whose neutral value is 0, or `None` if it is always neutral.
    pub(crate) fn of_hue(self) -> Result<Option<[f64; 2]>, Error> {
        const MUST_BE: &str = "from 0 to 0.5, or [min, max] with -0.5 <= min <= max <= 0.5";
        let [low, high] = match self {
            Self::Around(amount) => {
                check(amount >= 0.0, "hue", MUST_BE, amount)?;
                [-amount, amount]
            }
            Self::Between(low, high) => [low, high],
        };
        check(-0.5 <= low && low <= high && high <= 0.5, "hue", MUST_BE, [low, high])?;
        Ok((low != 0.0 || high != 0.0).then_some([low, high]))
    }
}

impl TryFrom<OneOrList<f64>> for Strength {
    type Error = String;

    fn try_from(setting: OneOrList<f64>) -> Result<Self, Self::Error> {
        match setting {
            OneOrList::One(amount) => Ok(Self::Around(amount)),
            OneOrList::List(numbers) => match numbers[..] {
                [low, high] => Ok(Self::Between(low, high)),
                _ => Err(format!("a range takes 2 numbers, found {}", numbers.len())),
            },
        }
    }
}

impl From<Strength> for OneOrList<f64> {
    fn from(strength: Strength) -> Self {
        match strength {
            Strength::Around(amount) => Self::One(amount),
            Strength::Between(low, high) => Self::List(vec![low, high]),
        }
    }
}
