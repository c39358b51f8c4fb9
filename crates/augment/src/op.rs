//! The two traits of every augmentation: what a contributor writes, and what a pipeline holds.

use crate::error::Error;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use std::fmt;

/// What a contributor implements: decide, then do.
pub trait Op: fmt::Debug + Send + Sync {
    /// Every random decision of one application.
    type Draw: fmt::Debug + Clone + PartialEq;

    /// Makes the decisions for a picture of `size`. Touches no pixel.
    fn draw(&self, size: Size, rng: &mut OpRng) -> Self::Draw;

    /// Carries them out. Touches no randomness.
    fn render(&self, image: Image8, draw: &Self::Draw) -> Image8;

    /// The result's size for a picture of `size`, whatever is drawn.
    fn output_size(&self, size: Size) -> Size {
        size
    }

    /// Refuses pictures of a `size` that the op has no rule for; a pipeline asks where it knows the size.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    fn check_input(&self, _size: Size) -> Result<(), Error> {
        Ok(())
    }
}

/// What a pipeline holds: any [`Op`] behind one pointer.
pub trait Transform: fmt::Debug + Send + Sync {
    /// Draws and renders.
    fn apply(&self, image: Image8, rng: &mut OpRng) -> Image8;

    /// The result's size for a picture of `size`, whatever is drawn.
    fn size_after(&self, size: Size) -> Size;
}

impl<T: Op> Transform for T {
    fn apply(&self, image: Image8, rng: &mut OpRng) -> Image8 {
        let draw = self.draw(image.size(), rng);
        self.render(image, &draw)
    }

    fn size_after(&self, size: Size) -> Size {
        self.output_size(size)
    }
}
