//! A list of transforms applied in order, each with its own random stream.

use crate::image::{Image8, Size};
use crate::key::RandomKey;
use crate::op::Transform;

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
        self.transforms.iter().fold(size, |size, transform| transform.output_size(size))
    }
}
