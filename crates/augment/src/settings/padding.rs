//! The settings of padding: how much, with what.

use crate::error::{Error, check};
use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Serialize};

/// The most pixels that can be added on a side.
const WIDEST: u32 = 65_535;

/// Pixels added on each side. In configurations as in torchvision: `4` for all sides, `[4, 2]` for left and
/// right, then top and bottom, or `[1, 2, 3, 4]` for left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "OneOrList<u32>", into = "OneOrList<u32>")]
pub struct Padding {
    /// Columns added on the left.
    pub left: u32,
    /// Rows added at the top.
    pub top: u32,
    /// Columns added on the right.
    pub right: u32,
    /// Rows added at the bottom.
    pub bottom: u32,
}

impl Padding {
    /// The same on all sides.
    pub const fn all(pixels: u32) -> Self {
        Self { left: pixels, top: pixels, right: pixels, bottom: pixels }
    }

    /// Checks that no side is absurdly large, which keeps sums of sides in range.
    pub(crate) fn validate(self) -> Result<(), Error> {
        let widest = self.left.max(self.top).max(self.right).max(self.bottom);
        check(widest <= WIDEST, "padding", "from 0 to 65535 on each side", widest)
    }
}

impl TryFrom<OneOrList<u32>> for Padding {
    type Error = String;

    fn try_from(setting: OneOrList<u32>) -> Result<Self, Self::Error> {
        let numbers = match setting {
            OneOrList::One(pixels) => return Ok(Self::all(pixels)),
            OneOrList::List(numbers) => numbers,
        };
        match numbers[..] {
            [pixels] => Ok(Self::all(pixels)),
            [x, y] => Ok(Self { left: x, top: y, right: x, bottom: y }),
            [left, top, right, bottom] => Ok(Self { left, top, right, bottom }),
            _ => Err(format!("padding takes 1, 2 or 4 numbers, found {}", numbers.len())),
        }
    }
}

impl From<Padding> for OneOrList<u32> {
    fn from(Padding { left, top, right, bottom }: Padding) -> Self {
        if left == top && left == right && left == bottom {
            Self::One(left)
        } else {
            Self::List(vec![left, top, right, bottom])
        }
    }
}

/// What added pixels show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingMode {
    /// One colour.
    #[default]
    Constant,
    /// The nearest pixel of the picture.
    Edge,
    /// The picture mirrored at its outermost pixels, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// The picture mirrored at its edges: `b a | a b c | c b`.
    Symmetric,
    /// The picture again: `b c | a b c | a b`.
    Wrap,
}
