//! What goes into a batch, and the batch.

use crate::decode::BadImage;
use kiln_augment::{Domain, Normalize, Pipeline, RandomKey, Size};

/// What is done to each decoded picture.
#[derive(Debug)]
pub struct Recipe {
    /// The transforms. They must yield pictures of `size` whatever they are given.
    pub pipeline: Pipeline,
    /// How levels become numbers.
    pub normalize: Normalize,
    /// Width and height of the pictures of a batch, in pixels.
    pub size: Size,
}

impl Recipe {
    /// Numbers in one sample: three planes of `size`.
    pub const fn sample_len(&self) -> usize {
        self.size.area() * 3
    }
}

/// The random keys of an epoch's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleKeys {
    seed: u64,
    epoch: u64,
}

impl SampleKeys {
    /// Keys for training: other draws in each epoch.
    pub const fn training(seed: u64, epoch: u64) -> Self {
        Self { seed, epoch }
    }

    /// Keys for a recipe without randomness. One that does draw sees the same draws at every evaluation.
    pub const fn evaluation() -> Self {
        Self { seed: 0, epoch: 0 }
    }

    /// The key of sample `index`.
    pub fn of(self, index: u32) -> RandomKey {
        let Self { seed, epoch } = self;
        RandomKey { seed, domain: Domain::Augment, epoch, index: u64::from(index) }
    }
}

/// A micro-batch, ready to become a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<T = f32> {
    /// The pictures in row-major order: normalised, `[len, 3, height, width]`, or levels, `[len, height, width, 3]`, as
    /// their [`Form`](crate::Form) says.
    pub images: Vec<T>,
    /// The class of each picture.
    pub labels: Vec<u32>,
    /// Each picture's position in the listing.
    pub indices: Vec<u32>,
    /// Width and height of the pictures, in pixels.
    pub size: Size,
    /// Pictures of the plan that are missing because their files are bad, in plan order. Empty unless bad
    /// pictures are skipped; if all are bad, the batch has no pictures at all.
    pub bad: Vec<BadImage>,
}

impl<T: Copy> Batch<T> {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no pictures.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pictures in batches of `most`, the last of what is left; what there is to say of bad ones goes with the first.
    ///
    /// # Panics
    /// When `most` is 0.
    pub fn split(self, most: usize) -> Vec<Self> {
        if self.len() <= most {
            return vec![self];
        }
        let Self { images, labels, indices, size, mut bad } = self;
        let values = 3 * size.height as usize * size.width as usize;
        let labels = labels.chunks(most).zip(indices.chunks(most));
        let part = |(images, (labels, indices)): (&[T], (&[u32], &[u32]))| Self {
            images: images.to_vec(),
            labels: labels.to_vec(),
            indices: indices.to_vec(),
            size,
            bad: std::mem::take(&mut bad),
        };
        images.chunks(most * values).zip(labels).map(part).collect()
    }
}

impl Batch {
    /// The dimensions of `images`: `[len, 3, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        [self.len(), 3, self.size.height as usize, self.size.width as usize]
    }
}
