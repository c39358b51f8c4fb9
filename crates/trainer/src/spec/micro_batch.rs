//! Pictures in one pass.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// Pictures in one forward and backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MicroBatch {
    /// So many.
    Pictures(u32),
    /// `"auto"`: all of an optimizer step, 32 times `accumulate`, in as few passes as the device has memory for; on the CPU
    /// 32 at a time. Batch norm sees the pictures of a pass, so results depend on that memory.
    Auto,
}

impl MicroBatch {
    /// Pictures that `"auto"` takes for each of `accumulate`, and at most at a time on the CPU.
    pub(crate) const UNIT: u32 = 32;
}

impl Serialize for MicroBatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pictures(count) => serializer.serialize_u32(*count),
            Self::Auto => serializer.serialize_str("auto"),
        }
    }
}

impl<'de> Deserialize<'de> for MicroBatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl Visitor<'_> for Of {
            type Value = MicroBatch;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of pictures or \"auto\"")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<MicroBatch, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Unsigned(count), &self);
                u32::try_from(count).map(MicroBatch::Pictures).map_err(wrong)
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<MicroBatch, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Signed(count), &self);
                u32::try_from(count).map(MicroBatch::Pictures).map_err(wrong)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<MicroBatch, E> {
                match word {
                    "auto" => Ok(MicroBatch::Auto),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(Of)
    }
}
