//! Micro-batches on their way to the device.
//!
//! For the CPU the loader's threads normalise the pictures. Other devices get the levels and do it themselves; the next
//! micro-batch is on its way there while the device works on this one, so that no step waits for a copy.

use crate::device_pictures::{Levels, mixed};
use crate::error::Error;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::{Layout, MixDraw};
use kiln_augment::{Normalize, Size};
use kiln_data::{Batch, BatchPlan, Batches, Listing, Loader, Recipe, SampleKeys};
use std::ops::Range;
use std::sync::Arc;

/// A loader's batches, for a device.
#[derive(Debug)]
pub(crate) struct Feed {
    source: Source,
    device: Device,
    normalize: Normalize,
}

#[derive(Debug)]
enum Source {
    /// Numbers, which are where the CPU takes them from.
    Numbers(Batches),
    /// Levels, and the batch after the one that is being worked on, as soon as it is on its way.
    Levels { batches: Batches<u8>, next: Option<Box<Result<Loaded, Error>>> },
}

/// A micro-batch whose pictures are at hand.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The class of each picture.
    pub(crate) labels: Vec<u32>,
    /// Each picture's position in the listing.
    pub(crate) indices: Vec<u32>,
    /// Width and height of the pictures, in pixels.
    pub(crate) size: Size,
    /// Pictures that are missing because their files are bad.
    pub(crate) bad: usize,
    pictures: Pictures,
}

#[derive(Debug)]
enum Pictures {
    Numbers(Vec<f32>),
    /// And how they become numbers.
    Levels(Box<Levels>, Normalize),
}

/// The pictures of a micro-batch, to be taken part by part.
#[derive(Debug)]
pub(crate) struct Input {
    pictures: Pictures,
    size: Size,
    count: usize,
    /// How they are mixed, unless they are already.
    draw: Option<MixDraw>,
}

impl Feed {
    /// Starts the loader on `plan`.
    pub(crate) fn start(
        loader: &Loader,
        (listing, plan): (&Arc<Listing>, BatchPlan),
        recipe: &Arc<Recipe>,
        keys: SampleKeys,
        device: &Device,
    ) -> Self {
        let source = if *device == Device::flex() {
            Source::Numbers(loader.run(listing.clone(), plan, recipe.clone(), keys))
        } else {
            let batches = loader.run(listing.clone(), plan, recipe.clone(), keys);
            Source::Levels { batches, next: None }
        };
        Self { source, device: device.clone(), normalize: recipe.normalize }
    }

    /// The next micro-batch, waited for if it is not there yet.
    pub(crate) fn next(&mut self) -> Option<Result<Loaded, Error>> {
        match &mut self.source {
            Source::Numbers(batches) => {
                let batch = batches.next()?;
                Some(batch.map(|batch| Loaded::of(batch, Pictures::Numbers)).map_err(Error::from))
            }
            Source::Levels { batches, next } => match next.take() {
                Some(next) => Some(*next),
                None => uploaded(batches, &self.device, self.normalize),
            },
        }
    }

    /// Waits for the micro-batch after this one, and begins to bring it to a device that has its own memory. To be called
    /// when that is busy.
    pub(crate) fn prepare_next(&mut self) {
        if let Source::Levels { batches, next } = &mut self.source
            && next.is_none()
        {
            *next = uploaded(batches, &self.device, self.normalize).map(Box::new);
        }
    }
}

fn uploaded(
    batches: &mut Batches<u8>,
    device: &Device,
    normalize: Normalize,
) -> Option<Result<Loaded, Error>> {
    let upload = |batch: Batch<u8>| {
        let size = batch.size;
        let upload = |levels: Vec<u8>| Box::new(Levels::upload(&levels, size, device));
        Loaded::of(batch, |levels| Pictures::Levels(upload(levels), normalize))
    };
    Some(batches.next()?.map(upload).map_err(Error::from))
}

impl Loaded {
    fn of<T>(batch: Batch<T>, pictures: impl FnOnce(Vec<T>) -> Pictures) -> Self {
        let Batch { images, labels, indices, size, bad } = batch;
        Self { labels, indices, size, bad: bad.len(), pictures: pictures(images) }
    }

    /// The pictures, mixed if there is something drawn. `kept` is memory for one picture.
    pub(crate) fn into_input(self, draw: Option<MixDraw>, kept: &mut Vec<f32>) -> Input {
        let Self { labels, size, mut pictures, .. } = self;
        let draw = match (&mut pictures, draw) {
            (Pictures::Numbers(numbers), Some(draw)) => {
                draw.apply(numbers, size, Layout::Planar, kept);
                None
            }
            (_, draw) => draw,
        };
        Input { pictures, size, count: labels.len(), draw }
    }
}

impl Input {
    /// Some of the pictures as the network takes them. All of them can be asked for once.
    ///
    /// # Shapes
    /// `[range.len(), 3, height, width]`, on `device`, which may have autodiff.
    pub(crate) fn part(&mut self, range: Range<usize>, device: &Device) -> Tensor<4> {
        let count = self.count;
        match &mut self.pictures {
            Pictures::Numbers(numbers) => {
                let (height, width) = (self.size.height as usize, self.size.width as usize);
                let shape = [range.len(), 3, height, width];
                let picture = 3 * height * width;
                let part = if range.len() == count {
                    std::mem::take(numbers)
                } else {
                    numbers[range.start * picture..range.end * picture].to_vec()
                };
                Tensor::from_data(TensorData::new(part, shape), (device, DType::F32))
            }
            Pictures::Levels(levels, normalize) => {
                let mut pictures = levels.normalized(range.clone(), normalize);
                if let Some(draw) = &self.draw {
                    // The partner of each is the opposite one.
                    let opposite = count - range.end..count - range.start;
                    let partners = levels.normalized(opposite, normalize).flip([0]);
                    pictures = mixed(pictures, &partners, &draw.pictures[range]);
                }
                if device.is_autodiff() { pictures.autodiff() } else { pictures }
            }
        }
    }
}
