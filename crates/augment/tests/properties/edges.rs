//! Settings and draws with numbers at which arithmetic breaks.
//!
//! What is written down as data is read back with some of its numbers replaced. JSON has no `NaN` and no infinity, so
//! it is read from a form of our own.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, EnumAccess, IntoDeserializer, VariantAccess, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::Value;

const WHOLE: [u64; 11] = [0, 1, 2, 3, 7, 255, 256, 65_535, 70_000, u32::MAX as u64, u64::MAX];
const REAL: [f64; 19] = [
    0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    0.999,
    2.0,
    7.0,
    90.0,
    255.0,
    360.0,
    1e-9,
    -1e-300,
    1e9,
    -1e9,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// `original` again, with some of its numbers replaced, switches turned and lists turned round, shortened or repeated.
/// `None` when nothing can be read from that. `below(n)` chooses among `n`.
pub(crate) fn altered<T: Serialize + DeserializeOwned>(
    original: &T,
    below: &mut impl FnMut(usize) -> usize,
) -> Option<T> {
    let value = serde_json::to_value(original).ok()?;
    T::deserialize(Data::altered(value, below)).ok()
}

/// JSON with every number there is.
#[derive(Debug, Clone)]
enum Data {
    Null,
    Bool(bool),
    Negative(i64),
    Whole(u64),
    Real(f64),
    Text(String),
    List(Vec<Data>),
    Table(Vec<(String, Data)>),
}

impl Data {
    fn altered(value: Value, below: &mut impl FnMut(usize) -> usize) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(on) => Self::Bool(on ^ (below(8) == 0)),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(_), _, _) if below(3) == 0 => Self::Whole(WHOLE[below(WHOLE.len())]),
                (Some(whole), _, _) => Self::Whole(whole),
                (_, Some(_), _) if below(3) == 0 => Self::Negative([-1, i64::MIN][below(2)]),
                (_, Some(negative), _) => Self::Negative(negative),
                (_, _, real) if below(3) > 0 => real.map_or(Self::Null, Self::Real),
                _ => Self::Real(REAL[below(REAL.len())]),
            },
            Value::String(text) => Self::Text(text),
            Value::Array(list) => {
                let mut list: Vec<Self> =
                    list.into_iter().map(|value| Self::altered(value, below)).collect();
                match below(16) {
                    0 => list.reverse(),
                    1 => list.truncate(list.len() / 2),
                    2 => list.extend(list.clone()),
                    _ => {}
                }
                Self::List(list)
            }
            Value::Object(table) => Self::Table(
                table.into_iter().map(|(key, value)| (key, Self::altered(value, below))).collect(),
            ),
        }
    }
}

impl IntoDeserializer<'_, Error> for Data {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Data {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(on) => visitor.visit_bool(on),
            Self::Negative(number) => visitor.visit_i64(number),
            Self::Whole(number) => visitor.visit_u64(number),
            Self::Real(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter())),
            Self::Table(table) => visitor.visit_map(MapDeserializer::new(table.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// `"variant"` or `{"variant": content}`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Table(mut table) if table.len() == 1 => {
                let (name, content) = table.remove(0);
                visitor.visit_enum(Variant { name, content })
            }
            Self::Text(name) => visitor.visit_enum(Variant { name, content: Self::Null }),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant {
    name: String,
    content: Data,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Data;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Data), Error> {
        let name: serde::de::value::StringDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Data {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}
