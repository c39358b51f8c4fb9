//! A list of transforms applied in order, each with its own random stream.

use crate::children;
use crate::error::Error;
use crate::image::{Image8, Size};
use crate::key::RandomKey;
use crate::op::{Op, Transform};
use crate::ops::OpSpec;

/// Transforms in order. The op at position `i` draws from stream `i` of the sample's key, so changing one
/// op's number of draws leaves all others as they were.
#[derive(Debug, Default)]
pub struct Pipeline {
    transforms: Vec<Box<dyn Transform>>,
}

impl Pipeline {
    /// A pipeline of `transforms`, first to last.
    pub fn new(transforms: Vec<Box<dyn Transform>>) -> Self {
        Self { transforms }
    }

    /// A pipeline of ops of the catalog. `default` is the size for ops that yield one and do not name it.
    ///
    /// # Errors
    /// [`Error::InOp`] with the place of the op whose settings are out of range, or which has no rule for pictures of the
    /// size that the ops before it yield, such as a crop that is larger and does not pad.
    pub fn build(ops: &[OpSpec], default: Size) -> Result<Self, Error> {
        let mut transforms: Vec<Box<dyn Transform>> = Vec::with_capacity(ops.len());
        let mut incoming = None;
        for (position, spec) in ops.iter().enumerate() {
            let checked = spec.build(default).and_then(|op| {
                incoming.map_or(Ok(()), |size| op.check_input(size))?;
                Ok(op)
            });
            let op = checked.map_err(|source| Error::InOp {
                position,
                op: spec.name(),
                source: Box::new(source),
            })?;
            incoming =
                incoming.map(|size| op.output_size(size)).or_else(|| children::fixed_size(&op));
            transforms.push(Box::new(op));
        }
        Ok(Self::new(transforms))
    }

    /// Applies all transforms to the sample that `key` names.
    pub fn apply(&self, image: Image8, key: RandomKey) -> Image8 {
        let mut image = image;
        for (position, transform) in self.transforms.iter().enumerate() {
            image = transform.apply(image, &mut key.rng(position as u64));
        }
        image
    }

    /// The result's size for a picture of `size`, whatever is drawn.
    pub fn output_size(&self, size: Size) -> Size {
        self.transforms.iter().fold(size, |size, transform| transform.size_after(size))
    }
}
