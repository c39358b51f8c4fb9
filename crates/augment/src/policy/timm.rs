//! timm's actions: a level from 0 to 10 becomes an argument.

use super::action::Action;
use crate::image::Size;
use crate::key::OpRng;
use crate::round::pixels_down;

/// What divides a level.
const STRONGEST: f64 = 10.0;
/// The largest part of a side that a picture is moved by.
const TRANSLATE: f64 = 0.45;

/// The name of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    AutoContrast,
    Equalize,
    Invert,
    Rotate,
    Posterize,
    Solarize,
    SolarizeAdd,
    Color,
    Contrast,
    Brightness,
    Sharpness,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
}

/// timm's `_RAND_TRANSFORMS`, in its order.
pub(crate) const RANDOM: [Kind; 15] = [
    Kind::AutoContrast,
    Kind::Equalize,
    Kind::Invert,
    Kind::Rotate,
    Kind::Posterize,
    Kind::Solarize,
    Kind::SolarizeAdd,
    Kind::Color,
    Kind::Contrast,
    Kind::Brightness,
    Kind::Sharpness,
    Kind::ShearX,
    Kind::ShearY,
    Kind::TranslateX,
    Kind::TranslateY,
];

impl Kind {
    /// The action at `level`. With `increasing` a higher level is a stronger change for every action; without it
    /// posterize and solarize weaken and the factors run from 0.1 to 1.9. One draw: the direction.
    pub(crate) fn action(
        self,
        level: f64,
        increasing: bool,
        size: Size,
        rng: &mut OpRng,
    ) -> Action {
        let part = level / STRONGEST;
        let negative = rng.bernoulli(0.5);
        let signed = |value: f64| if negative { -value } else { value };
        let enhanced =
            if increasing { (1.0 + signed(part * 0.9)).max(0.1) } else { part * 1.8 + 0.1 };
        let bits = pixels_down(part * 4.0);
        let threshold = f64::from(pixels_down(part * 256.0).min(256));
        match self {
            Self::AutoContrast => Action::AutoContrast,
            Self::Equalize => Action::Equalize,
            Self::Invert => Action::Invert,
            Self::Rotate => Action::Rotate(signed(part * 30.0)),
            Self::Posterize if increasing => Action::Posterize(4_u32.saturating_sub(bits)),
            Self::Posterize => Action::Posterize(bits),
            Self::Solarize if increasing => Action::Solarize(256.0 - threshold),
            Self::Solarize => Action::Solarize(threshold),
            Self::SolarizeAdd => {
                Action::SolarizeAdd(u8::try_from(pixels_down(part * 110.0).min(128)).unwrap_or(128))
            }
            Self::Color => Action::Color(enhanced),
            Self::Contrast => Action::Contrast(enhanced),
            Self::Brightness => Action::Brightness(enhanced),
            Self::Sharpness => Action::Sharpness(enhanced),
            Self::ShearX => Action::ShearX(signed(part * 0.3)),
            Self::ShearY => Action::ShearY(signed(part * 0.3)),
            Self::TranslateX => {
                Action::TranslateX(signed(part * TRANSLATE) * f64::from(size.width))
            }
            Self::TranslateY => {
                Action::TranslateY(signed(part * TRANSLATE) * f64::from(size.height))
            }
        }
    }
}
