//! The spaces of torchvision's policies: which actions there are and how strong each of the magnitudes is.

use super::action::Action;
use crate::image::Size;
use crate::key::OpRng;
use crate::round::{factor, pixels_half_even};

/// The name of an action, without its magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

/// The actions of `RandAugment` and of `TrivialAugmentWide`, in torchvision's order.
pub(crate) const RANDOM: [Kind; 14] = [
    Kind::Identity,
    Kind::ShearX,
    Kind::ShearY,
    Kind::TranslateX,
    Kind::TranslateY,
    Kind::Rotate,
    Kind::Brightness,
    Kind::Color,
    Kind::Contrast,
    Kind::Sharpness,
    Kind::Posterize,
    Kind::Solarize,
    Kind::AutoContrast,
    Kind::Equalize,
];

/// The actions of `AugMix`; the first nine are those without `all_ops`.
pub(crate) const MIXED: [Kind; 13] = [
    Kind::ShearX,
    Kind::ShearY,
    Kind::TranslateX,
    Kind::TranslateY,
    Kind::Rotate,
    Kind::Posterize,
    Kind::Solarize,
    Kind::AutoContrast,
    Kind::Equalize,
    Kind::Brightness,
    Kind::Color,
    Kind::Contrast,
    Kind::Sharpness,
];

/// How strong the strongest magnitude of each action is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Space {
    /// How many magnitudes there are, from none to the strongest.
    pub(crate) bins: u32,
    shear: f64,
    /// In pixels, across and down.
    translate: [f64; 2],
    degrees: f64,
    enhance: f64,
    /// Bits kept at the weakest magnitude, and bits taken away from them at the strongest.
    posterize: [f64; 2],
}

impl Space {
    /// That of `RandAugment` and of `AutoAugment`.
    pub(crate) fn moderate(bins: u32, size: Size) -> Self {
        let translate = [size.width, size.height].map(|side| 150.0 / 331.0 * f64::from(side));
        Self { bins, shear: 0.3, translate, degrees: 30.0, enhance: 0.9, posterize: [8.0, 4.0] }
    }

    /// That of `TrivialAugmentWide`.
    pub(crate) fn wide(bins: u32) -> Self {
        let (translate, posterize) = ([32.0; 2], [8.0, 6.0]);
        Self { bins, shear: 0.99, translate, degrees: 135.0, enhance: 0.99, posterize }
    }

    /// That of `AugMix`.
    pub(crate) fn mixed(size: Size) -> Self {
        let translate = [size.width, size.height].map(|side| f64::from(side) / 3.0);
        let posterize = [4.0, 4.0];
        Self { bins: 10, shear: 0.3, translate, degrees: 30.0, enhance: 0.9, posterize }
    }

    /// The action at magnitude `bin`. Those with a direction go the other way if `negative`.
    pub(crate) fn action(self, kind: Kind, bin: u32, negative: bool) -> Action {
        let signed = |strongest: f64| {
            let magnitude = self.linspace(0.0, strongest, bin);
            if negative { -magnitude } else { magnitude }
        };
        match kind {
            Kind::Identity => Action::Identity,
            Kind::ShearX => Action::ShearX(signed(self.shear)),
            Kind::ShearY => Action::ShearY(signed(self.shear)),
            Kind::TranslateX => Action::TranslateX(signed(self.translate[0])),
            Kind::TranslateY => Action::TranslateY(signed(self.translate[1])),
            Kind::Rotate => Action::Rotate(signed(self.degrees)),
            Kind::Brightness => Action::Brightness(1.0 + signed(self.enhance)),
            Kind::Color => Action::Color(1.0 + signed(self.enhance)),
            Kind::Contrast => Action::Contrast(1.0 + signed(self.enhance)),
            Kind::Sharpness => Action::Sharpness(1.0 + signed(self.enhance)),
            Kind::Posterize => {
                let [kept, taken] = self.posterize;
                let step = f64::from(self.bins - 1) / taken;
                let gone = f64::from(factor(f64::from(bin) / step)).round_ties_even();
                Action::Posterize(pixels_half_even(kept - gone))
            }
            Kind::Solarize => Action::Solarize(self.linspace(255.0, 0.0, bin)),
            Kind::AutoContrast => Action::AutoContrast,
            Kind::Equalize => Action::Equalize,
            Kind::Invert => Action::Invert,
        }
    }

    /// `torch.linspace(start, end, bins)[bin]`, which is computed in `f32` and from both ends.
    fn linspace(self, start: f64, end: f64, bin: u32) -> f64 {
        let [start, end] = [start, end].map(factor);
        let step = (end - start) / (self.bins - 1) as f32;
        f64::from(if bin < self.bins / 2 {
            start + step * bin as f32
        } else {
            end - step * (self.bins - 1 - bin) as f32
        })
    }
}

/// One of `choices` uniformly.
pub(crate) fn pick<T: Copy>(choices: &[T], rng: &mut OpRng) -> Option<T> {
    let place = usize::try_from(rng.below(choices.len() as u64)).ok()?;
    choices.get(place).copied()
}
