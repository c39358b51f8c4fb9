//! The `fill` setting: one level for all channels, or `[red, green, blue]`.

use crate::settings::one_or_list::OneOrList;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whether a fill is the default, which need not be written down.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference to the field"
)]
pub(crate) fn is_black(fill: &[u8; 3]) -> bool {
    *fill == [0; 3]
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference to the field"
)]
pub(crate) fn serialize<S: Serializer>(fill: &[u8; 3], serializer: S) -> Result<S::Ok, S::Error> {
    let [red, green, blue] = *fill;
    if red == green && green == blue {
        OneOrList::One(red).serialize(serializer)
    } else {
        OneOrList::List(fill.to_vec()).serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 3], D::Error> {
    match OneOrList::<u8>::deserialize(deserializer)? {
        OneOrList::One(level) => Ok([level; 3]),
        OneOrList::List(levels) => match levels[..] {
            [red, green, blue] => Ok([red, green, blue]),
            _ => Err(de::Error::invalid_length(levels.len(), &"one level or [red, green, blue]")),
        },
    }
}
