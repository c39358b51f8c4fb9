//! What is frozen stays through training steps, bit for bit, and what is not frozen learns.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use burn::module::Module as _;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Tensor};
use kiln_models::{Freeze, Kernels, ModelSpec, Network, UnitSource, state_dict};
use serde_json::json;
use std::collections::BTreeMap;

fn source(name: &str) -> UnitSource {
    let mut state = name.bytes().fold(1_u64, |state, byte| state * 31 + u64::from(byte));
    Box::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn network(table: serde_json::Value, device: &Device) -> Network {
    let spec: ModelSpec = serde_json::from_value(table).unwrap();
    spec.initialize(4, device, source).unwrap()
}

type State = BTreeMap<String, Vec<u32>>;

fn state(network: &Network) -> State {
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    state_dict(network).into_iter().map(|tensor| (tensor.name, bits(tensor.values))).collect()
}

/// Three steps.
fn trained(mut network: Network, device: &Device) -> Network {
    let mut optimizer = SgdConfig::new().init();
    for _ in 0..3 {
        let pictures = Tensor::<4>::random([3, 3, 32, 32], Distribution::Default, device);
        let loss = network.forward(pictures).powi_scalar(2).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(0.01, network, gradients);
    }
    network
}

/// Names that changed in training.
fn changed(before: &State, after: &State) -> Vec<String> {
    let differs = before.iter().filter(|(name, values)| after[*name] != **values);
    differs.map(|(name, _)| name.clone()).collect()
}

fn is_statistic(name: &str) -> bool {
    name.contains("running_")
}

const BOTH: [Kernels; 2] = [Kernels::Fast, Kernels::Reference];

#[test]
fn a_frozen_backbone_keeps_its_weights_and_statistics() {
    let device = Device::flex().autodiff();
    for (table, head) in [
        (json!({ "type": "resnet18", "block_dropout": 0.5, "dropout": 0.5 }), "fc."),
        (json!({ "type": "efficientnet_b0", "stochastic_depth": 0.5 }), "classifier."),
        (json!({ "type": "resnet20", "head": { "type": "mlp", "hidden": 8 } }), "fc."),
    ] {
        for kernels in BOTH {
            let network = network(table.clone(), &device).with_kernels(kernels);
            let before = state(&network);
            let rule = |name: &str| (!name.starts_with(head)).then_some(Freeze::WeightsAndStats);
            let after = state(&trained(network.frozen(rule), &device));
            let changed = changed(&before, &after);
            assert!(!changed.is_empty(), "{table} {kernels:?}");
            let strays: Vec<_> = changed.iter().filter(|name| !name.starts_with(head)).collect();
            assert!(strays.is_empty(), "{table} {kernels:?}: {strays:?}");
        }
    }
}

#[test]
fn with_frozen_weights_alone_statistics_go_on() {
    let device = Device::flex().autodiff();
    for kernels in BOTH {
        let network = network(json!({ "type": "resnet18" }), &device).with_kernels(kernels);
        let before = state(&network);
        let rule = |name: &str| (!name.starts_with("fc.")).then_some(Freeze::Weights);
        let after = state(&trained(network.frozen(rule), &device));
        for name in before.keys() {
            let moves = is_statistic(name) || name.starts_with("fc.");
            assert_eq!(before[name] != after[name], moves, "{name} {kernels:?}");
        }
    }
}

#[test]
fn a_frozen_part_does_what_it_does_in_evaluation() {
    let device = Device::flex().autodiff();
    for table in [
        json!({ "type": "resnet18", "block_dropout": 0.5, "dropout": 0.5, "stochastic_depth": 0.5 }),
        json!({ "type": "resnet20", "head": { "type": "mlp", "hidden": 8, "dropout": 0.5 } }),
        json!({ "type": "efficientnet_b0", "dropout": 0.5, "stochastic_depth": 0.5 }),
    ] {
        let network = network(table.clone(), &device);
        let pictures = Tensor::<4>::random([2, 3, 64, 64], Distribution::Default, &device);
        let plain = network.valid().forward(pictures.clone().inner());
        let frozen = network.frozen(|_| Some(Freeze::WeightsAndStats)).forward(pictures.clone());
        let values = |logits: Tensor<2>| logits.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(frozen), values(plain), "{table}");
    }
}

/// The dropout between features and classifier belongs to the classifier.
#[test]
fn a_head_over_a_frozen_backbone_still_drops_features() {
    let device = Device::flex().autodiff();
    for (table, head) in [
        (json!({ "type": "resnet20", "dropout": 0.5 }), "fc."),
        (json!({ "type": "efficientnet_b0", "dropout": 0.5 }), "classifier."),
    ] {
        let network = network(table, &device)
            .frozen(|name| (!name.starts_with(head)).then_some(Freeze::WeightsAndStats));
        let features = network.forward_features(Tensor::ones([1, 3, 32, 32], &device));
        let features = features.ones_like();
        let logits = || network.forward_head(features.clone()).into_data();
        // Equal once in 2^60.
        assert_ne!(logits(), logits(), "{head}");
    }
}

#[test]
fn thawed_again_everything_learns() {
    let device = Device::flex().autodiff();
    let network = network(json!({ "type": "resnet20" }), &device);
    let before = state(&network);
    let frozen = network.frozen(|_| Some(Freeze::WeightsAndStats));
    let after = state(&trained(frozen.frozen(|_| None), &device));
    assert_eq!(changed(&before, &after).len(), before.len());
}

#[test]
fn a_block_in_the_middle_can_be_frozen() {
    let device = Device::flex().autodiff();
    let network = network(json!({ "type": "resnet18" }), &device);
    let before = state(&network);
    let rule = |name: &str| name.starts_with("layer2.").then_some(Freeze::WeightsAndStats);
    let after = state(&trained(network.frozen(rule), &device));
    let still = before.keys().filter(|name| before[*name] == after[*name]);
    assert!(still.clone().all(|name| name.starts_with("layer2.")));
    let layer2 = before.keys().filter(|name| name.starts_with("layer2."));
    assert_eq!(still.count(), layer2.count());
}
