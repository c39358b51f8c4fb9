//! The `size` setting: `224` for a square, or torchvision's `[height, width]`.

use crate::error::{Error, check};
use crate::image::Size;
use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest side that a result may be asked to have, in pixels.
pub(crate) const LONGEST: u32 = 65_535;

/// The size asked for, or the stage's.
pub(crate) fn resolve(size: Option<Size>, default: Size) -> Result<Size, Error> {
    let size = size.unwrap_or(default);
    check_side(size.width)?;
    check_side(size.height)?;
    Ok(size)
}

/// Checks one side.
pub(crate) fn check_side(side: u32) -> Result<(), Error> {
    check((1..=LONGEST).contains(&side), "size", "from 1 to 65535", side)
}

#[allow(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(crate) fn serialize<S: Serializer>(
    size: &Option<Size>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    size.map(|Size { width, height }| {
        if width == height { OneOrList::One(width) } else { OneOrList::List(vec![height, width]) }
    })
    .serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Size>, D::Error> {
    match OneOrList::<u32>::deserialize(deserializer)? {
        OneOrList::One(side) => Ok(Some(Size::square(side))),
        OneOrList::List(sides) => match sides[..] {
            [height, width] => Ok(Some(Size::new(width, height))),
            _ => Err(de::Error::invalid_length(sides.len(), &"one side or [height, width]")),
        },
    }
}
