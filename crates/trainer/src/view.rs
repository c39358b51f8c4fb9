//! The ways in which evaluation looks at a picture.

use crate::card::ModelCard;
use kiln_augment::ops::{CenterCropSpec, RandomHorizontalFlipSpec, ResizeShortSpec};
use kiln_augment::{Error, Image8, OpRng, OpSpec, Pipeline, Size, Transform, five_crop};
use kiln_data::Recipe;

/// What is looked at beside the picture as it is; the predictions of all views are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestTimeAugmentation {
    /// Also the mirror image of each view.
    pub flip: bool,
    /// The four corners and the centre of the picture, not only the centre (torchvision's `FiveCrop`).
    pub five_crop: bool,
    /// At 7/8 and 9/8 of the size, too.
    pub multi_scale: bool,
}

impl TestTimeAugmentation {
    /// All views, the picture as it is in evaluation first.
    pub fn views(self) -> Vec<View> {
        use Place::{BottomLeft, BottomRight, Centre, TopLeft, TopRight};
        let corners =
            if self.five_crop { &[TopLeft, TopRight, BottomLeft, BottomRight][..] } else { &[] };
        let places: Vec<Place> = [Centre].iter().chain(corners).copied().collect();
        let eighths = if self.multi_scale { &[8, 7, 9][..] } else { &[8][..] };
        let flips = if self.flip { &[false, true][..] } else { &[false][..] };
        let mut views = Vec::new();
        for &eighths in eighths {
            for &place in &places {
                views.extend(flips.iter().map(|&flipped| View { eighths, place, flipped }));
            }
        }
        views
    }
}

/// One way to look at a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The size, in eighths of the evaluation's.
    eighths: u32,
    place: Place,
    flipped: bool,
}

/// The places of the crops, in the order of [`five_crop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
    Centre,
}

impl View {
    /// The picture as it is in evaluation.
    pub const PLAIN: Self = Self { eighths: 8, place: Place::Centre, flipped: false };

    /// How a picture becomes the input of a network with this card.
    pub(crate) fn recipe(self, card: &ModelCard) -> Result<Recipe, Error> {
        let scaled = |side: u32| (side * self.eighths).div_ceil(8);
        let size = Size::square(scaled(card.size));
        let (short, interpolation) = (Some(scaled(card.short_side())), card.input.interpolation);
        let resize = OpSpec::ResizeShort(ResizeShortSpec { size: short, interpolation });
        let flip = OpSpec::RandomHorizontalFlip(RandomHorizontalFlipSpec { p: 1.0 });
        let crop: Box<dyn Transform> = match self.place {
            Place::Centre => Box::new(OpSpec::CenterCrop(CenterCropSpec::default()).build(size)?),
            place => Box::new(Corner { place, size }),
        };
        let mut transforms = vec![Box::new(resize.build(size)?) as Box<dyn Transform>, crop];
        if self.flipped {
            transforms.push(Box::new(flip.build(size)?));
        }
        Ok(Recipe { pipeline: Pipeline::new(transforms), normalize: card.normalize(), size })
    }
}

/// Cuts a corner out.
#[derive(Debug)]
struct Corner {
    place: Place,
    size: Size,
}

impl Transform for Corner {
    fn apply(&self, image: Image8, _: &mut OpRng) -> Image8 {
        // The resize before it leaves enough for the crop; black stands in for what cannot be.
        let crops = five_crop(&image, self.size)
            .unwrap_or_else(|_| [(); 5].map(|()| Image8::black(self.size, image.channels())));
        let [top_left, top_right, bottom_left, bottom_right, centre] = crops;
        match self.place {
            Place::TopLeft => top_left,
            Place::TopRight => top_right,
            Place::BottomLeft => bottom_left,
            Place::BottomRight => bottom_right,
            Place::Centre => centre,
        }
    }

    fn size_after(&self, _: Size) -> Size {
        self.size
    }
}
