//! The two forms that the pictures of a batch come in.

use kiln_augment::{Channels, Image8, Normalize};

/// What the numbers of a batch are, which says where its pictures are normalised.
///
/// `f32`: here, in planes `[3, height, width]`. `u8`: the levels as they are, `[height, width, 3]`, for a device that
/// normalises them itself; a quarter of the bytes to bring there.
pub trait Form: Copy + Default + Send + Sync + 'static {
    /// Writes a picture.
    ///
    /// # Panics
    /// When `out` does not have three numbers for each pixel.
    fn write(image: &Image8, normalize: &Normalize, out: &mut [Self]);
}

impl Form for f32 {
    fn write(image: &Image8, normalize: &Normalize, out: &mut [Self]) {
        normalize.to_planar(image, out);
    }
}

impl Form for u8 {
    fn write(image: &Image8, _: &Normalize, out: &mut [Self]) {
        match image.channels() {
            Channels::Rgb => out.copy_from_slice(image.pixels()),
            Channels::Gray => {
                assert_eq!(out.len(), image.pixels().len() * 3, "three numbers for each pixel");
                for (out, level) in out.as_chunks_mut::<3>().0.iter_mut().zip(image.pixels()) {
                    *out = [*level; 3];
                }
            }
        }
    }
}
