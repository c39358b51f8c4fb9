//! Networks against torchvision: parameter counts, names, maps of every stage, logits, gradients, statistics.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use generator::uniform;
use kiln_models::{
    Kernels, ModelSpec, NamedTensor, Network, load_state_dict, parameter_count, parameter_names,
    state_dict,
};
use serde_json::{Value, json};
use std::collections::HashMap;

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/resnets.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn spec(name: &str) -> ModelSpec {
    serde_json::from_value(json!({ "type": name })).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The values that `filling.py` gives the tensor `name`; `last_norm` closes a residual block.
#[allow(clippy::cast_possible_truncation, reason = "the reference rounds to f32 here too")]
fn fill(name: &str, shape: &[usize], last_norm: &str) -> NamedTensor {
    let inputs: usize = shape.iter().skip(1).product();
    let value = |u: f64| match (shape.len(), name.rsplit('.').next().unwrap()) {
        (4, _) => u * (6.0 / inputs as f64).sqrt(),
        (2, _) => u * (3.0 / inputs as f64).sqrt(),
        (_, "weight") => {
            let closes = name.starts_with("layer") && name.ends_with(last_norm);
            if closes { 0.2 + 0.1 * u } else { 1.0 + 0.1 * u }
        }
        (_, "running_var") => 1.0 + 0.1 * u,
        _ => 0.1 * u,
    };
    let values = uniform(name, shape.iter().product()).into_iter().map(|u| value(u) as f32);
    NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values: values.collect() }
}

fn filled(name: &str, device: &Device) -> Network {
    let last_norm = match name {
        "resnet50" | "resnet101" => "bn3.weight",
        _ => "bn2.weight",
    };
    let network = spec(name).build(10, device);
    load_state_dict(network, |tensor, shape| Some(fill(tensor, shape, last_norm))).unwrap()
}

#[allow(clippy::cast_possible_truncation, reason = "the generator's numbers are exact in f32")]
fn input(name: &str, shape: &Value, device: &Device) -> Tensor<4> {
    let shape: Vec<usize> = serde_json::from_value(shape.clone()).unwrap();
    let values: Vec<f32> =
        uniform(name, shape.iter().product()).into_iter().map(|u| u as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

/// Fails when `ours` is further from `theirs` than `tolerance` times the largest of `theirs`.
fn assert_close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(1e-6, |max: f64, value| max.max(value.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}[{i}]: {a}, the reference has {b}");
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data().iter::<f64>().collect()
}

#[test]
fn parameter_counts_are_exact() {
    let device = Device::flex();
    for (name, network) in golden()["networks"].as_object().unwrap() {
        for (classes, expected) in network["parameters"].as_object().unwrap() {
            let network = spec(name).build(classes.parse().unwrap(), &device);
            let found = parameter_count(&network) as u64;
            assert_eq!(found, expected.as_u64().unwrap(), "{name}, {classes} classes");
        }
    }
}

#[test]
fn names_and_shapes_are_torchvisions() {
    let device = Device::flex();
    for (name, network) in golden()["networks"].as_object().unwrap() {
        let Some(keys) = network.get("keys") else { continue };
        let mut theirs: Vec<(String, Vec<usize>)> = keys
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let shape = serde_json::from_value(key["shape"].clone()).unwrap();
                (key["key"].as_str().unwrap().to_owned(), shape)
            })
            .collect();
        let classes = theirs.last().unwrap().1[0];
        let mut ours: Vec<_> = state_dict(&spec(name).build(classes, &device))
            .into_iter()
            .map(|tensor| (tensor.name, tensor.shape))
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{name}");
    }
}

/// Every network of the golden with Kiln's kernels and with Burn's operations.
fn on_both_kernels(golden: &Value) -> Vec<(String, Value, Kernels)> {
    let networks = golden["networks"].as_object().unwrap();
    let both = [Kernels::Fast, Kernels::Reference];
    networks
        .iter()
        .flat_map(|(name, value)| both.map(|kernels| (name.clone(), value.clone(), kernels)))
        .collect()
}

/// f32 sums over thousands of products in another order: 1e-4 of the largest value holds for all depths.
#[test]
fn every_stage_and_the_logits_match() {
    let device = Device::flex();
    for (name, reference, kernels) in on_both_kernels(&golden()) {
        let network = filled(&name, &device).with_kernels(kernels);
        let eval = &reference["eval"];
        let input = input("input", &eval["input_shape"], &device);
        let stages = network.forward_stages(input.clone());
        let names = ["stem", "layer1", "layer2", "layer3", "layer4"];
        for (stage, map) in names.iter().zip(&stages) {
            let expected = &eval["f64"]["stages"][stage];
            let what = format!("{name} {kernels:?} {stage}");
            assert_eq!(json!(map.dims()), expected["shape"], "{what}");
            let found = values(map);
            let count = found.len() as f64;
            let mean = found.iter().sum::<f64>() / count;
            let mean_square = found.iter().map(|value| value * value).sum::<f64>() / count;
            assert_close(&what, &found[..8], &numbers(&expected["first"]), 1e-4);
            let moments =
                [expected["mean"].as_f64().unwrap(), expected["mean_square"].as_f64().unwrap()];
            assert_close(&what, &[mean, mean_square], &moments, 1e-5);
        }
        let logits = values(&network.forward(input));
        assert_close(&name, &logits, &numbers(&eval["f64"]["logits"]), 1e-4);
    }
}

/// The gradients of a network, by state-dict name and in PyTorch's layout.
fn gradients(network: &Network, pass: Gradients) -> HashMap<String, Vec<f64>> {
    struct Visitor {
        pass: Gradients,
        names: HashMap<burn::module::ParamId, String>,
        found: HashMap<String, Vec<f64>>,
    }
    impl ModuleVisitor for Visitor {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(mut gradient) = param.base().grad_remove(&mut self.pass) else { return };
            let name = self.names[&param.id].clone();
            if name == "fc.weight" {
                gradient = gradient.transpose();
            }
            self.found.insert(name, values(&gradient));
        }
    }
    let names = parameter_names(network).into_iter().map(|named| (named.id, named.name)).collect();
    let mut visitor = Visitor { pass, names, found: HashMap::new() };
    network.visit(&mut visitor);
    visitor.found
}

/// Batch norm divides by the deviation of few values here (4 pictures of 1x1 at the end), which magnifies rounding;
/// PyTorch's own f32 and f64 runs differ by up to 1e-3 of the largest gradient.
#[test]
fn training_gradients_and_statistics_match() {
    let golden = golden();
    let device = Device::flex().autodiff();
    let labels = numbers(&golden["train_labels"]);
    let smoothing = golden["train_label_smoothing"].as_f64().unwrap();
    for (name, reference, kernels) in on_both_kernels(&golden) {
        let Some(train) = reference.get("train") else { continue };
        let network = filled(&name, &device).with_kernels(kernels);
        let logits = network.forward(input("train_input", &train["input_shape"], &device));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small whole numbers"
        )]
        let targets: Vec<f32> = labels
            .iter()
            .flat_map(|label| {
                let target = move |class| {
                    let hit = if class == *label as usize { 1.0 - smoothing } else { 0.0 };
                    (hit + smoothing / 10.0) as f32
                };
                (0..10).map(target)
            })
            .collect();
        let targets =
            Tensor::<2>::from_data(TensorData::new(targets, [4, 10]), (&device, DType::F32));
        let loss = (log_softmax(logits, 1) * targets).sum().neg() / 4.0;
        let reference = &train["f64"];
        let expected = reference["loss"].as_f64().unwrap();
        let found = f64::from(loss.clone().into_scalar::<f32>());
        assert!(
            (found - expected).abs() < 1e-4,
            "{name} {kernels:?}: loss {found}, the reference has {expected}"
        );

        let found = gradients(&network, loss.backward());
        for (tensor, expected) in reference["grads"].as_object().unwrap() {
            let what = format!("{name} {kernels:?} gradient of {tensor}");
            let norm = found[tensor].iter().map(|value| value * value).sum::<f64>().sqrt();
            assert_close(&what, &[norm], &[expected["norm"].as_f64().unwrap()], 2e-3);
            assert_close(&what, &found[tensor][..8], &numbers(&expected["first"]), 2e-3);
        }
        let state = state_dict(&network);
        for (tensor, expected) in reference["running"].as_object().unwrap() {
            let found = &state.iter().find(|found| found.name == *tensor).unwrap().values[..8];
            let found: Vec<f64> = found.iter().copied().map(f64::from).collect();
            assert_close(&format!("{name} {kernels:?} {tensor}"), &found, &numbers(expected), 1e-4);
        }
    }
}

#[test]
fn a_state_dict_goes_out_and_in_unchanged() {
    let device = Device::flex();
    let network = filled("resnet18", &device);
    let saved = state_dict(&network);
    let lookup: HashMap<_, _> = saved.iter().map(|t| (t.name.clone(), t.clone())).collect();
    let copy =
        load_state_dict(spec("resnet18").build(10, &device), |name, _| lookup.get(name).cloned());
    assert_eq!(state_dict(&copy.unwrap()), saved);
}

#[test]
fn a_missing_and_a_misshapen_tensor_are_named() {
    let device = Device::flex();
    let build = || spec("resnet20").build(10, &device);
    let missing = load_state_dict(build(), |name, shape| {
        (name != "layer2.0.bn1.weight").then(|| fill(name, shape, "bn2.weight"))
    });
    assert_eq!(missing.unwrap_err().to_string(), "tensor `layer2.0.bn1.weight` is missing");
    let misshapen = load_state_dict(build(), |name, shape| {
        let shape = if name == "fc.bias" { &[12][..] } else { shape };
        Some(fill(name, shape, "bn2.weight"))
    });
    let message = "tensor `fc.bias` has shape [12], the model needs [10]";
    assert_eq!(misshapen.unwrap_err().to_string(), message);
}
