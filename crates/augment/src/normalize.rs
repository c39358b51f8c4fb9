//! From levels to the numbers that a model sees.

use crate::error::{Error, check};
use crate::image::{Channels, Image8};
use serde::{Deserialize, Serialize};

/// Mean and standard deviation of each channel (red, green, blue), for values in `[0, 1]`. They belong to the
/// weights: a model must see pictures normalised as in its training.
///
/// # Parity
/// torchvision's `ToTensor` followed by `Normalize`, bit for bit.
///
/// # Example
/// ```
/// use kiln_augment::{Image8, Normalize, Size};
///
/// let image = Image8::filled(Size::new(2, 1), [255, 0, 51]);
/// let mut planes = [0.0; 6];
/// Normalize { mean: [0.5; 3], std: [0.5; 3] }.to_planar(&image, &mut planes);
/// assert_eq!(planes, [1.0, 1.0, -1.0, -1.0, -0.6, -0.6]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    /// Mean of each channel.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
}

impl Normalize {
    /// The statistics of ImageNet, which torchvision's weights expect.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// Checks that all results are finite.
    pub fn validate(&self) -> Result<(), Error> {
        check(self.mean.iter().all(|mean| mean.is_finite()), "mean", "finite numbers", self.mean)?;
        let accepted = self.std.iter().all(|&std| std > 0.0 && std.is_finite());
        check(accepted, "std", "finite numbers above 0", self.std)
    }

    /// Writes `(level / 255 - mean) / std`: all of red, then all of green, then all of blue, each row by row. A gray picture
    /// has three equal channels.
    ///
    /// # Panics
    /// When `out` does not have three numbers for each pixel.
    pub fn to_planar(&self, image: &Image8, out: &mut [f32]) {
        let area = image.size().area();
        assert_eq!(out.len(), area * 3, "planes of a {} picture", image.size());
        // A channel has 256 levels, so the divisions are done once for each, in the reference's order.
        let [red_of, green_of, blue_of] =
            [0, 1, 2].map(|channel| table(self.mean[channel], self.std[channel]));
        let (red, rest) = out.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        if image.channels() == Channels::Gray {
            for (((level, red), green), blue) in image.pixels().iter().zip(red).zip(green).zip(blue)
            {
                let level = usize::from(*level);
                (*red, *green, *blue) = (red_of[level], green_of[level], blue_of[level]);
            }
            return;
        }
        let (pixels, _) = image.pixels().as_chunks::<3>();
        for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
            *red = red_of[usize::from(pixel[0])];
            *green = green_of[usize::from(pixel[1])];
            *blue = blue_of[usize::from(pixel[2])];
        }
    }
}

fn table(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std)
}
