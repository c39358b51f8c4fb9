//! Every op by the name that a configuration uses.
//!
//! A new op is one file in this folder, named as the op is in configurations, and two lines here: its `mod` line and
//! its row of the table. Contract tests, documentation checks and the demand for a golden case follow from the table.

pub mod aug_mix;
pub mod auto_augment;
pub mod blur;
pub mod center_crop;
pub mod channel_shuffle;
pub mod clahe;
pub mod coarse_dropout;
pub mod color_jitter;
pub mod cutout;
pub mod defocus;
pub mod downscale;
pub mod elastic_transform;
pub mod fancy_pca;
pub mod gauss_noise;
pub mod gaussian_blur;
pub mod grid_distortion;
pub mod grid_dropout;
pub mod grid_mask;
pub mod hide_and_seek;
pub mod hue_saturation_value;
pub mod image_compression;
pub mod iso_noise;
pub mod lighting;
pub mod median_blur;
pub mod motion_blur;
pub mod multiplicative_noise;
pub mod one_of;
pub mod optical_distortion;
pub mod pad;
pub mod rand_augment;
pub mod random_adjust_sharpness;
pub mod random_affine;
pub mod random_autocontrast;
pub mod random_brightness_contrast;
pub mod random_crop;
pub mod random_equalize;
pub mod random_erasing;
pub mod random_fog;
pub mod random_gamma;
pub mod random_grayscale;
pub mod random_horizontal_flip;
pub mod random_invert;
pub mod random_perspective;
pub mod random_posterize;
pub mod random_rain;
pub mod random_resized_crop;
pub mod random_rotate90;
pub mod random_rotation;
pub mod random_snow;
pub mod random_solarize;
pub mod random_tone_curve;
pub mod random_vertical_flip;
pub mod resize;
pub mod resize_long;
pub mod resize_short;
pub mod rgb_shift;
pub mod salt_and_pepper;
pub mod sequential;
pub mod shift_scale_rotate;
pub mod some_of;
pub mod three_augment;
pub mod to_sepia;
pub mod transpose;
pub mod trivial_augment_wide;

use crate::error::Error;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// What an op is about; the reference and the benchmark are ordered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Where pixels are.
    Geometry,
    /// What colour they have, each by itself or by a statistic of the picture.
    Color,
    /// What a camera, a file format or the weather does to a picture.
    Quality,
    /// Parts that are taken away.
    Erasing,
    /// Ops that choose among other ops.
    Policy,
}

/// Writes [`OpSpec`]: `Variant(module::Settings) in Family;`. The module's name, which is the variant in snake case,
/// is the name in TOML.
macro_rules! catalog {
    ($($(#[$doc:meta])* $variant:ident($module:ident::$spec:ident) in $family:ident;)*) => {
        $(pub use $module::$spec;)*

        /// One entry of a stage's `pipeline`: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum OpSpec {
            $($(#[$doc])* $variant($module::$spec),)*
        }

        impl OpSpec {
            /// The name of every op, in the catalog's order.
            pub const NAMES: &[&str] = &[$(stringify!($module)),*];

            /// The op's name in configurations.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module),)*
                }
            }

            /// What the op is about.
            pub const fn family(&self) -> Family {
                match self {
                    $(Self::$variant(_) => Family::$family,)*
                }
            }

            /// Checks the settings and makes the op. `default` is the stage's size, for ops that yield a size and do
            /// not name one.
            ///
            /// # Errors
            /// [`Error::OutOfRange`] naming the setting; [`Error::InOp`] around it for an op inside of an op.
            pub fn build(&self, default: Size) -> Result<CatalogOp, Error> {
                match self {
                    $(Self::$variant(spec) => spec.build(default).map(CatalogOp::$variant),)*
                }
            }

            /// Reads a draw of this op that was written down, as its [`Op::Draw`] without the op's name.
            ///
            /// # Errors
            /// When it is no draw of this op.
            pub fn read_draw<'de, D: Deserializer<'de>>(&self, draw: D) -> Result<OpDraw, D::Error> {
                match self {
                    $(Self::$variant(_) => Deserialize::deserialize(draw).map(OpDraw::$variant),)*
                }
            }

            /// One of every op with settings that make it act, in the catalog's order.
            pub fn examples() -> Vec<Self> {
                vec![$(Self::$variant($module::$spec::example()),)*]
            }
        }

        /// Any op of the catalog, ready to be applied.
        #[derive(Debug)]
        pub enum CatalogOp {
            $($(#[$doc])* $variant(<$module::$spec as OpSettings>::Op),)*
        }

        /// What one application of an op of the catalog does; can be written down and carried out again.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "draw", rename_all = "snake_case")]
        pub enum OpDraw {
            $($(#[$doc])* $variant(<<$module::$spec as OpSettings>::Op as Op>::Draw),)*
        }

        impl Op for CatalogOp {
            type Draw = OpDraw;

            fn draw(&self, size: Size, rng: &mut OpRng) -> OpDraw {
                match self {
                    $(Self::$variant(op) => OpDraw::$variant(op.draw(size, rng)),)*
                }
            }

            /// A draw of another op leaves the picture as it is.
            fn render(&self, image: Image8, draw: &OpDraw) -> Image8 {
                match (self, draw) {
                    $((Self::$variant(op), OpDraw::$variant(draw)) => op.render(image, draw),)*
                    _ => image,
                }
            }

            fn output_size(&self, size: Size) -> Size {
                match self {
                    $(Self::$variant(op) => Op::output_size(op, size),)*
                }
            }

            fn check_input(&self, size: Size) -> Result<(), Error> {
                match self {
                    $(Self::$variant(op) => Op::check_input(op, size),)*
                }
            }
        }
    };
}

catalog! {
    /// Blends a picture with versions of itself.
    AugMix(aug_mix::AugMixSpec) in Policy;
    /// Applies one of the pairs of actions that were found for a data set.
    AutoAugment(auto_augment::AutoAugmentSpec) in Policy;
    /// Replaces each pixel by the mean of a square around it.
    Blur(blur::BlurSpec) in Quality;
    /// Cuts the centre out.
    CenterCrop(center_crop::CenterCropSpec) in Geometry;
    /// Sometimes puts the channels into another order.
    ChannelShuffle(channel_shuffle::ChannelShuffleSpec) in Color;
    /// Sometimes makes local contrast equal, within a limit.
    Clahe(clahe::ClaheSpec) in Color;
    /// Sometimes fills rectangles of random size.
    CoarseDropout(coarse_dropout::CoarseDropoutSpec) in Erasing;
    /// Changes brightness, contrast, saturation and hue.
    ColorJitter(color_jitter::ColorJitterSpec) in Color;
    /// Fills squares of fixed size at random places.
    Cutout(cutout::CutoutSpec) in Erasing;
    /// Blurs with a disk.
    Defocus(defocus::DefocusSpec) in Quality;
    /// Makes a picture smaller and then as large as before.
    Downscale(downscale::DownscaleSpec) in Quality;
    /// Sometimes moves every pixel a little, as if on rubber.
    ElasticTransform(elastic_transform::ElasticTransformSpec) in Geometry;
    /// Sometimes stretches colours along their principal components.
    FancyPca(fancy_pca::FancyPcaSpec) in Color;
    /// Adds normally distributed noise.
    GaussNoise(gauss_noise::GaussNoiseSpec) in Quality;
    /// Blurs with a bell curve.
    GaussianBlur(gaussian_blur::GaussianBlurSpec) in Quality;
    /// Sometimes stretches and squeezes the cells of a grid.
    GridDistortion(grid_distortion::GridDistortionSpec) in Geometry;
    /// Sometimes fills a rectangle in each cell of a grid.
    GridDropout(grid_dropout::GridDropoutSpec) in Erasing;
    /// Sometimes fills the squares of a turned grid.
    GridMask(grid_mask::GridMaskSpec) in Erasing;
    /// Fills random cells of a grid.
    HideAndSeek(hide_and_seek::HideAndSeekSpec) in Erasing;
    /// Sometimes shifts hue, saturation and value.
    HueSaturationValue(hue_saturation_value::HueSaturationValueSpec) in Color;
    /// Compresses to JPEG and decompresses again.
    ImageCompression(image_compression::ImageCompressionSpec) in Quality;
    /// Adds the noise of a sensitive camera.
    IsoNoise(iso_noise::IsoNoiseSpec) in Quality;
    /// Sometimes adds one colour of ImageNet's principal components.
    Lighting(lighting::LightingSpec) in Color;
    /// Replaces each pixel by the median of a square around it.
    MedianBlur(median_blur::MedianBlurSpec) in Quality;
    /// Blurs along a line.
    MotionBlur(motion_blur::MotionBlurSpec) in Quality;
    /// Multiplies levels by random factors.
    MultiplicativeNoise(multiplicative_noise::MultiplicativeNoiseSpec) in Quality;
    /// Applies one of several ops.
    OneOf(one_of::OneOfSpec) in Policy;
    /// Sometimes bends the picture as a lens does.
    OpticalDistortion(optical_distortion::OpticalDistortionSpec) in Geometry;
    /// Adds pixels on the sides.
    Pad(pad::PadSpec) in Geometry;
    /// Applies a few random actions of one strength.
    RandAugment(rand_augment::RandAugmentSpec) in Policy;
    /// Sometimes blurs or sharpens.
    RandomAdjustSharpness(random_adjust_sharpness::RandomAdjustSharpnessSpec) in Color;
    /// Turns, moves, scales and shears by random amounts.
    RandomAffine(random_affine::RandomAffineSpec) in Geometry;
    /// Sometimes stretches each channel to the whole range.
    RandomAutocontrast(random_autocontrast::RandomAutocontrastSpec) in Color;
    /// Sometimes changes contrast and brightness.
    RandomBrightnessContrast(random_brightness_contrast::RandomBrightnessContrastSpec) in Color;
    /// Cuts a rectangle of fixed size out at a random place.
    RandomCrop(random_crop::RandomCropSpec) in Geometry;
    /// Sometimes makes all levels equally frequent.
    RandomEqualize(random_equalize::RandomEqualizeSpec) in Color;
    /// Sometimes fills rectangles of random size and shape.
    RandomErasing(random_erasing::RandomErasingSpec) in Erasing;
    /// Sometimes lays fog over a picture.
    RandomFog(random_fog::RandomFogSpec) in Quality;
    /// Sometimes raises all levels to a power.
    RandomGamma(random_gamma::RandomGammaSpec) in Color;
    /// Sometimes takes the colour away.
    RandomGrayscale(random_grayscale::RandomGrayscaleSpec) in Color;
    /// Sometimes swaps left and right.
    RandomHorizontalFlip(random_horizontal_flip::RandomHorizontalFlipSpec) in Geometry;
    /// Sometimes makes the negative.
    RandomInvert(random_invert::RandomInvertSpec) in Color;
    /// Sometimes shows the picture as if seen from elsewhere.
    RandomPerspective(random_perspective::RandomPerspectiveSpec) in Geometry;
    /// Sometimes keeps only the highest bits of each level.
    RandomPosterize(random_posterize::RandomPosterizeSpec) in Color;
    /// Sometimes lets it rain.
    RandomRain(random_rain::RandomRainSpec) in Quality;
    /// Cuts a rectangle of random size and shape out and resizes it.
    RandomResizedCrop(random_resized_crop::RandomResizedCropSpec) in Geometry;
    /// Turns by a random number of quarters.
    RandomRotate90(random_rotate90::RandomRotate90Spec) in Geometry;
    /// Turns by a random angle.
    RandomRotation(random_rotation::RandomRotationSpec) in Geometry;
    /// Sometimes makes dark parts white.
    RandomSnow(random_snow::RandomSnowSpec) in Quality;
    /// Sometimes makes the negative of bright levels.
    RandomSolarize(random_solarize::RandomSolarizeSpec) in Color;
    /// Sometimes bends the curve from old to new levels.
    RandomToneCurve(random_tone_curve::RandomToneCurveSpec) in Color;
    /// Sometimes swaps top and bottom.
    RandomVerticalFlip(random_vertical_flip::RandomVerticalFlipSpec) in Geometry;
    /// Resizes to an exact size.
    Resize(resize::ResizeSpec) in Geometry;
    /// Resizes the longer side to a length and keeps the shape.
    ResizeLong(resize_long::ResizeLongSpec) in Geometry;
    /// Resizes the shorter side to a length and keeps the shape.
    ResizeShort(resize_short::ResizeShortSpec) in Geometry;
    /// Sometimes adds an amount to each channel.
    RgbShift(rgb_shift::RgbShiftSpec) in Color;
    /// Makes some pixels white and some black.
    SaltAndPepper(salt_and_pepper::SaltAndPepperSpec) in Quality;
    /// Applies several ops in order, together with a probability.
    Sequential(sequential::SequentialSpec) in Policy;
    /// Sometimes moves, scales and turns by random amounts.
    ShiftScaleRotate(shift_scale_rotate::ShiftScaleRotateSpec) in Geometry;
    /// Applies some of several ops.
    SomeOf(some_of::SomeOfSpec) in Policy;
    /// Takes the colour away, solarizes or blurs, then jitters colours.
    ThreeAugment(three_augment::ThreeAugmentSpec) in Policy;
    /// Sometimes makes a brown picture.
    ToSepia(to_sepia::ToSepiaSpec) in Color;
    /// Sometimes swaps rows and columns.
    Transpose(transpose::TransposeSpec) in Geometry;
    /// Applies one random action of random strength.
    TrivialAugmentWide(trivial_augment_wide::TrivialAugmentWideSpec) in Policy;
}

/// What the settings of an op can do.
pub trait OpSettings: Sized {
    /// What they make. Its draws can be written down and read back.
    type Op: Op<Draw: Serialize + DeserializeOwned> + 'static;

    /// Checks the settings and makes the op. `default` is the stage's size, used when none is named.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    fn build(&self, default: Size) -> Result<Self::Op, Error>;

    /// Settings that make the op act, for tests and documentation.
    fn example() -> Self;
}
