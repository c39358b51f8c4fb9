//! Losses and their gradients against PyTorch and timm.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::tensor::{DType, Device, Tensor, TensorData};
use generator::uniform;
use kiln_augment::mix::MixedLabel;
use kiln_trainer::{ClassWeights, Loss, LossSpec};
use serde_json::{Value, json};

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/losses.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn check(spec: &Value, labels: &[MixedLabel], expected: &Value) {
    let device = Device::flex().autodiff();
    #[allow(clippy::cast_possible_truncation, reason = "the generator's numbers are exact in f32")]
    let logits: Vec<f32> = uniform("logits", 80).iter().map(|u| (u * 4.0) as f32).collect();
    let data = TensorData::new(logits, [8, 10]);
    let input = Tensor::<2>::from_data(data, (&device, DType::F32)).require_grad();
    let loss: LossSpec = serde_json::from_value(spec.clone()).unwrap();
    let weights = expected["class_weights"].as_array();
    #[allow(clippy::cast_possible_truncation, reason = "exact in f32")]
    let weights = weights.map(|all| all.iter().map(|w| w.as_f64().unwrap() as f32).collect());
    let loss = Loss::new(loss, weights).sum(input.clone(), labels, &device) / 8.0;
    let found = f64::from(loss.clone().into_scalar::<f32>());
    let mean = expected["mean"].as_f64().unwrap();
    assert!((found - mean).abs() < 1e-6 * mean, "{spec}: {found}, the reference has {mean}");
    let gradient = input.grad(&loss.backward()).unwrap();
    let theirs = expected["grad"].as_array().unwrap();
    // Binary cross entropy summed over classes has gradients ten times as large.
    let largest = theirs.iter().map(|g| g.as_f64().unwrap().abs()).fold(0.1, f64::max);
    for (ours, theirs) in gradient.into_data().iter::<f64>().zip(theirs) {
        let theirs = theirs.as_f64().unwrap();
        assert!((ours - theirs).abs() < 1e-6 * largest, "{spec}: {ours} instead of {theirs}");
    }
}

#[test]
fn cross_entropy_matches_torch() {
    let golden = golden();
    let labels: Vec<u32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    let labels: Vec<MixedLabel> = labels.into_iter().map(MixedLabel::pure).collect();
    for case in golden["cases"].as_array().unwrap() {
        let spec = json!({ "type": "cross_entropy", "label_smoothing": case["label_smoothing"] });
        check(&spec, &labels, &case["f64"]);
    }
}

#[test]
fn the_other_losses_match_their_references() {
    let golden = golden();
    let classes: Vec<u32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    for case in golden["others"].as_array().unwrap() {
        let is_mixed = case["mixed"].as_bool().unwrap();
        let label = |&class: &u32| {
            let mixed = MixedLabel { class, partner: (class + 1) % 10, lambda: 0.3 };
            if is_mixed { mixed } else { MixedLabel::pure(class) }
        };
        let labels: Vec<MixedLabel> = classes.iter().map(label).collect();
        check(&case["spec"], &labels, case);
    }
}

#[test]
fn class_weights_have_a_mean_of_one_over_the_pictures() {
    // 90 pictures of three classes that have some: 90 / (3 n).
    let pictures = [10, 0, 30, 50];
    assert_eq!(ClassWeights::Balanced.of(&pictures), [3.0, 1.0, 1.0, 0.6]);
    let roots = ClassWeights::SquareRoot.of(&pictures);
    let ratio = f64::from(roots[0]) / f64::from(roots[2]);
    assert!((ratio - 3.0_f64.sqrt()).abs() < 1e-6);
    let mean =
        roots.iter().zip(pictures).map(|(w, n)| f64::from(*w) * f64::from(n)).sum::<f64>() / 90.0;
    assert!((mean - 1.0).abs() < 1e-6);
}
