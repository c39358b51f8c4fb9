//! Networks against torchvision and timm: parameter counts, names, maps of every stage, logits, gradients, statistics.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/filling.rs"]
mod filling;
#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use filling::{fill, filled};
use generator::{fnv1a64, uniform};
use kiln_models::{
    Freeze, Kernels, ModelSpec, NamedTensor, Network, StatisticsPass, load_state_dict,
    parameter_count, parameter_names, state_dict,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A file of networks.
struct Fixture {
    /// Its content.
    json: Value,
    /// How near gradients have to be: see the test.
    gradients: f64,
}

fn fixtures() -> Vec<Fixture> {
    let read = |(name, gradients)| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        Fixture { json: serde_json::from_str(&text).unwrap(), gradients }
    };
    [("resnets", 2e-3), ("resnet_variants", 1e-3), ("efficientnets", 1e-3)].map(read).into()
}

/// A network of a fixture.
#[derive(Clone, Copy)]
struct Entry<'a> {
    fixture: &'a Fixture,
    name: &'a str,
    json: &'a Value,
}

fn entries(fixtures: &[Fixture]) -> impl Iterator<Item = Entry<'_>> {
    fixtures.iter().flat_map(|fixture| {
        let networks = fixture.json["networks"].as_object().unwrap();
        networks.iter().map(move |(name, json)| Entry { fixture, name, json })
    })
}

impl Entry<'_> {
    /// The model table: the name alone, unless there is more to say.
    fn spec(&self) -> ModelSpec {
        let table = self.json.get("spec").cloned();
        serde_json::from_value(table.unwrap_or_else(|| json!({ "type": self.name }))).unwrap()
    }

    fn filled(&self, device: &Device) -> Network {
        filled(&self.spec(), device)
    }
}

fn spec(name: &str) -> ModelSpec {
    serde_json::from_value(json!({ "type": name })).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
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
    let scale = theirs.iter().fold(1e-6, |max: f64, value| max.max(value.abs()));
    assert_within(what, ours, theirs, tolerance * scale);
}

fn assert_within(what: &str, ours: &[f64], theirs: &[f64], most: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= most, "{what}[{i}]: {a}, the reference has {b}");
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data().iter::<f64>().collect()
}

#[test]
fn parameter_counts_are_exact() {
    let device = Device::flex();
    for entry in entries(&fixtures()) {
        for (classes, expected) in entry.json["parameters"].as_object().unwrap() {
            let network = entry.spec().build(classes.parse().unwrap(), &device);
            let found = parameter_count(&network) as u64;
            assert_eq!(found, expected.as_u64().unwrap(), "{}, {classes} classes", entry.name);
        }
    }
}

#[test]
fn names_and_shapes_are_the_references() {
    let device = Device::flex();
    for entry in entries(&fixtures()) {
        let mut ours: Vec<String> = state_dict(&entry.spec().build(10, &device))
            .into_iter()
            .map(|tensor| format!("{} {:?}", tensor.name, tensor.shape))
            .collect();
        ours.sort();
        if let Some(keys) = entry.json.get("keys") {
            let keys = keys.as_array().unwrap().iter();
            let mut theirs: Vec<String> = keys
                .map(|key| {
                    let shape: Vec<usize> = serde_json::from_value(key["shape"].clone()).unwrap();
                    format!("{} {shape:?}", key["key"].as_str().unwrap())
                })
                .collect();
            theirs.sort();
            assert_eq!(ours, theirs, "{}", entry.name);
        } else if let Some(checksum) = entry.json.get("key_checksum") {
            assert_eq!(json!(ours.len()), entry.json["key_count"], "{}", entry.name);
            let lines = ours.join("\n") + "\n";
            assert_eq!(json!(format!("0x{:016x}", fnv1a64(&lines))), *checksum, "{}", entry.name);
        }
    }
}

/// Kiln's kernels and Burn's operations.
const BOTH: [Kernels; 2] = [Kernels::Fast, Kernels::Reference];

/// f32 sums over thousands of products in another order: 1e-4 of the largest value holds for all depths.
#[test]
fn every_stage_and_the_logits_match() {
    let device = Device::flex();
    let fixtures = fixtures();
    for entry in entries(&fixtures).filter(|entry| entry.json.get("eval").is_some()) {
        let eval = &entry.json["eval"];
        let expected = &eval["f64"];
        let input = input("input", &eval["input_shape"], &device);
        let network = entry.filled(&device);
        for kernels in BOTH {
            let network = network.clone().with_kernels(kernels);
            let stages = network.forward_stages(input.clone());
            let mut seen = 0;
            for (stage, map) in stage_names(&stages).iter().zip(&stages) {
                let Some(expected) = expected["stages"].get(stage) else { continue };
                let what = format!("{} {kernels:?} {stage}", entry.name);
                seen += 1;
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
            assert_eq!(seen, expected["stages"].as_object().unwrap().len(), "{}", entry.name);
            let logits = values(&network.forward(input.clone()));
            assert_close(entry.name, &logits, &numbers(&expected["logits"]), 1e-4);
        }
    }
}

/// What the fixtures call a network's maps.
fn stage_names(stages: &[Tensor<4>]) -> Vec<String> {
    let name = |i| match (stages.len(), i) {
        (9, i) => format!("features.{i}"),
        (_, 0) => "stem".to_owned(),
        (_, i) => format!("layer{i}"),
    };
    (0..stages.len()).map(name).collect()
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
            if name == "fc.weight" || name == "classifier.1.weight" {
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

/// Batch norm divides by the deviation of few values in `resnets` (4 pictures of 1x1 at the end), which magnifies
/// rounding; PyTorch's own f32 and f64 runs differ by up to 1e-3 of the largest gradient there. The other fixtures have
/// larger maps at the end. Smooth networks agree to 3e-5; with `ReLU`s a value next to zero may fall to the other side.
#[test]
fn training_gradients_and_statistics_match() {
    let device = Device::flex().autodiff();
    let fixtures = fixtures();
    let trained = entries(&fixtures).filter(|entry| entry.json.get("train").is_some());
    for (entry, kernels) in trained.flat_map(|entry| BOTH.map(|kernels| (entry, kernels))) {
        let (name, train) = (entry.name, &entry.json["train"]);
        let labels = numbers(&entry.fixture.json["train_labels"]);
        let source = train.get("input").map_or("train_input", |name| name.as_str().unwrap());
        let smoothing = entry.fixture.json["train_label_smoothing"].as_f64().unwrap();
        let tolerance = entry.fixture.gradients;
        let network = entry.filled(&device).with_kernels(kernels);
        let logits = network.forward(input(source, &train["input_shape"], &device));
        // The logits of a batch's own statistics, where the last maps are larger than one pixel.
        if tolerance <= 1e-3 {
            let what = format!("{name} {kernels:?} logits in training");
            assert_close(&what, &values(&logits), &numbers(&train["f64"]["logits"]), 1e-4);
        }
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
            assert_close(&what, &[norm], &[expected["norm"].as_f64().unwrap()], tolerance);
            let theirs = numbers(&expected["first"]);
            match expected.get("largest") {
                None => assert_close(&what, &found[tensor][..8], &theirs, tolerance),
                Some(largest) => {
                    let most = tolerance * largest.as_f64().unwrap();
                    assert_within(&what, &found[tensor][..8], &theirs, most);
                }
            }
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
    let network = filled(&spec("resnet18"), &device);
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

/// What ResNet-20's state is after a pass over the three batches of the fixture.
fn after_a_pass(network: Network, is_kept: impl Fn(&str) -> bool) -> Vec<NamedTensor> {
    let device = Device::flex().autodiff();
    let mut pass = StatisticsPass::new(network, is_kept);
    for batch in 0..3 {
        pass = pass.observe(input(&format!("batch.{batch}"), &json!([4, 3, 32, 32]), &device));
    }
    state_dict(&pass.finish())
}

#[test]
fn statistics_computed_anew_are_torchs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/averages.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let found = after_a_pass(filled(&spec("resnet20"), &Device::flex().autodiff()), |_| false);
    for (name, theirs) in golden["statistics"].as_object().unwrap() {
        let tensor = found.iter().find(|tensor| tensor.name == *name).unwrap();
        let ours: Vec<f64> = tensor.values.iter().take(8).map(|value| f64::from(*value)).collect();
        assert_close(name, &ours, &numbers(theirs), 1e-5);
    }
}

#[test]
fn frozen_statistics_stay_when_others_are_computed_anew() {
    let network = filled(&spec("resnet20"), &Device::flex().autodiff());
    let before = state_dict(&network);
    let is_frozen = |name: &str| name.starts_with("layer1.");
    let network = network.frozen(|name| is_frozen(name).then_some(Freeze::WeightsAndStats));
    for (after, before) in after_a_pass(network, is_frozen).iter().zip(&before) {
        let moves = after.name.contains("running_") && !is_frozen(&after.name);
        assert_eq!(after != before, moves, "{}", after.name);
    }
}

#[test]
fn layers_are_grouped_as_timm_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/layer_decay.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, scales) in golden["networks"].as_object().unwrap() {
        let network = spec(name).build(10, &Device::flex());
        let layers = network.layers_from_end();
        let scales = scales.as_object().unwrap();
        assert_eq!(layers.len(), scales.len());
        for named in parameter_names(&network).iter().filter(|named| !named.is_buffer) {
            let ours = 0.75_f64.powf(f64::from(layers[&named.id]));
            let theirs = scales[&named.name].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-12, "{name}: {}: {ours}, not {theirs}", named.name);
        }
    }
}

#[test]
fn sixteen_bit_maps_give_gradients_in_f32() {
    let device = Device::flex().autodiff();
    let shape = json!([2, 3, 32, 32]);
    for name in ["resnet20", "resnet18", "efficientnet_b0"] {
        // By running statistics: those of two small pictures make differences grow.
        let logits = |dtype: DType| {
            let device = Device::flex();
            let pictures = input("half", &shape, &device).cast(dtype);
            values(&filled(&spec(name), &device).forward(pictures))
        };
        let full = logits(DType::F32);
        for (dtype, tolerance) in [(DType::BF16, 0.05), (DType::F16, 0.01)] {
            let half = logits(dtype);
            assert_ne!(half, full);
            assert_close(&format!("{name} in {dtype:?}"), &half, &full, tolerance);
            let network = filled(&spec(name), &device);
            let gradients =
                network.forward(input("half", &shape, &device).cast(dtype)).sum().backward();
            let types = gradient_types(&network, &gradients);
            assert!(!types.is_empty() && types.iter().all(|dtype| *dtype == DType::F32), "{name}");
        }
    }
}

/// The number formats of all gradients.
fn gradient_types(network: &Network, gradients: &Gradients) -> Vec<DType> {
    struct Visitor<'a> {
        gradients: &'a Gradients,
        found: Vec<DType>,
    }
    impl ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.extend(param.base().grad(self.gradients).map(|gradient| gradient.dtype()));
        }
    }
    let mut visitor = Visitor { gradients, found: Vec::new() };
    network.visit(&mut visitor);
    visitor.found
}
