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
use std::sync::Arc;

/// A loader's batches, for a device.
#[derive(Debug)]
pub(crate) struct Feed {
    source: Source,
    recipe: Arc<Recipe>,
    device: Device,
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
    Levels(Box<Levels>),
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
        Self { source, recipe: recipe.clone(), device: device.clone() }
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
                None => uploaded(batches, &self.device),
            },
        }
    }

    /// Waits for the micro-batch after this one, and begins to bring it to a device that has its own memory. To be called
    /// when that is busy.
    pub(crate) fn prepare_next(&mut self) {
        if let Source::Levels { batches, next } = &mut self.source
            && next.is_none()
        {
            *next = uploaded(batches, &self.device).map(Box::new);
        }
    }

    /// How the pictures are normalised.
    pub(crate) fn normalize(&self) -> &Normalize {
        &self.recipe.normalize
    }
}

fn uploaded(batches: &mut Batches<u8>, device: &Device) -> Option<Result<Loaded, Error>> {
    let upload = |batch: Batch<u8>| {
        let (count, size) = (batch.len(), batch.size);
        let upload = |levels: Vec<u8>| Levels::upload(&levels, count, size, device);
        Loaded::of(batch, |levels| Pictures::Levels(Box::new(upload(levels))))
    };
    Some(batches.next()?.map(upload).map_err(Error::from))
}

impl Loaded {
    fn of<T>(batch: Batch<T>, pictures: impl FnOnce(Vec<T>) -> Pictures) -> Self {
        let Batch { images, labels, indices, size, bad } = batch;
        Self { labels, indices, size, bad: bad.len(), pictures: pictures(images) }
    }

    /// The pictures as the network takes them, mixed if there is something drawn. `kept` is memory for one picture.
    ///
    /// # Shapes
    /// `[batch, 3, height, width]`, on `device`, which may have autodiff.
    pub(crate) fn into_input(
        self,
        normalize: &Normalize,
        draw: Option<&MixDraw>,
        device: &Device,
        kept: &mut Vec<f32>,
    ) -> Tensor<4> {
        let Self { labels, size, pictures, .. } = self;
        match pictures {
            Pictures::Numbers(mut numbers) => {
                if let Some(draw) = draw {
                    draw.apply(&mut numbers, size, Layout::Planar, kept);
                }
                let shape = [labels.len(), 3, size.height as usize, size.width as usize];
                Tensor::from_data(TensorData::new(numbers, shape), (device, DType::F32))
            }
            Pictures::Levels(levels) => {
                let pictures = levels.normalized(normalize);
                let pictures = match draw {
                    Some(draw) => mixed(&pictures, draw),
                    None => pictures,
                };
                if device.is_autodiff() { pictures.autodiff() } else { pictures }
            }
        }
    }
}
