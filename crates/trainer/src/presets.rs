//! What pictures a network's published weights were trained for.

use crate::card::ModelCard;
use crate::spec::InputSpec;
use kiln_augment::Interpolation;
use kiln_models::ModelSpec;

/// Mean and standard deviation of ImageNet's channels, which torchvision and timm normalise by.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

impl ModelCard {
    /// A card for weights that come without one: torchvision's size, crop and filter for `model`, ImageNet's
    /// normalisation. The networks for 32 px take the whole picture.
    ///
    /// # Parity
    /// The `transforms()` of torchvision's `IMAGENET1K_V1` weights.
    pub fn preset(model: ModelSpec, class_names: Vec<String>) -> Self {
        let (size, short, interpolation) = published(&model);
        let (mean, std) = IMAGENET;
        let crop_ratio = f64::from(size) / f64::from(short);
        let input = InputSpec { mean, std, crop_ratio, interpolation };
        Self { model, class_names, size, input, temperature: None }
    }
}

/// Side of the crop, of the shorter side before it, and the filter.
fn published(model: &ModelSpec) -> (u32, u32, Interpolation) {
    use Interpolation::{Bicubic, Bilinear};
    match model {
        ModelSpec::Resnet18(_)
        | ModelSpec::Resnet34(_)
        | ModelSpec::Resnet50(_)
        | ModelSpec::Resnet101(_)
        | ModelSpec::Resnet152(_)
        | ModelSpec::WideResnet50x2(_)
        | ModelSpec::Resnext50x32x4d(_) => (224, 256, Bilinear),
        ModelSpec::Resnet20(_)
        | ModelSpec::Resnet32(_)
        | ModelSpec::Resnet44(_)
        | ModelSpec::Resnet56(_) => (32, 32, Bilinear),
        ModelSpec::EfficientnetB0(_) => (224, 256, Bicubic),
        ModelSpec::EfficientnetB1(_) => (240, 256, Bicubic),
        ModelSpec::EfficientnetB2(_) => (288, 288, Bicubic),
        ModelSpec::EfficientnetB3(_) => (300, 320, Bicubic),
        ModelSpec::EfficientnetB4(_) => (380, 384, Bicubic),
        ModelSpec::EfficientnetB5(_) => (456, 456, Bicubic),
        ModelSpec::EfficientnetB6(_) => (528, 528, Bicubic),
        ModelSpec::EfficientnetB7(_) => (600, 600, Bicubic),
    }
}

#[cfg(test)]
mod tests {
    use super::{ModelCard, published};
    use kiln_augment::{Image8, RandomKey, Size};
    use kiln_models::ModelSpec;

    #[test]
    fn every_models_card_resizes_to_the_published_side() {
        for model in ModelSpec::all() {
            let (size, short, _) = published(&model);
            let card = ModelCard::preset(model, vec!["one".to_owned()]);
            assert_eq!(card.short_side(), short, "{card:?}");
            let key = RandomKey { seed: 0, domain: kiln_augment::Domain::Init, epoch: 0, index: 0 };
            let picture = Image8::filled(Size { width: short, height: short + 7 }, [1, 2, 3]);
            let result = card.evaluation_recipe().unwrap().pipeline.apply(picture, key);
            assert_eq!(result.size(), Size::square(size), "{card:?}");
        }
    }
}
