//! Cross entropy with label smoothing against `torch.nn.functional.cross_entropy`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::tensor::{DType, Device, Tensor, TensorData};
use generator::uniform;
use kiln_augment::mix::MixedLabel;
use kiln_trainer::{cross_entropy_sum, soft_targets};
use serde_json::Value;

#[test]
fn loss_and_gradient_match_torch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/losses.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let device = Device::flex().autodiff();
    let labels: Vec<u32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    let labels: Vec<MixedLabel> = labels.into_iter().map(MixedLabel::pure).collect();
    #[allow(clippy::cast_possible_truncation, reason = "the generator's numbers are exact in f32")]
    let logits: Vec<f32> = uniform("logits", 80).iter().map(|u| (u * 4.0) as f32).collect();
    for case in golden["cases"].as_array().unwrap() {
        let smoothing = case["label_smoothing"].as_f64().unwrap();
        let data = TensorData::new(logits.clone(), [8, 10]);
        let input = Tensor::<2>::from_data(data, (&device, DType::F32)).require_grad();
        let targets = soft_targets(&labels, 10, smoothing, &device);
        let loss = cross_entropy_sum(input.clone(), targets) / 8.0;
        let found = f64::from(loss.clone().into_scalar::<f32>());
        let expected = case["f64"]["mean"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6 * expected, "{found}, torch has {expected}");
        let gradient = input.grad(&loss.backward()).unwrap();
        let theirs = case["f64"]["grad"].as_array().unwrap();
        for (ours, theirs) in gradient.into_data().iter::<f64>().zip(theirs) {
            assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-7, "{ours}, torch has {theirs}");
        }
    }
}
