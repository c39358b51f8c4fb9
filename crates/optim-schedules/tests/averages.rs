//! Averages of weights against timm and torch, step for step.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::module::{Module, Param, RunningState};
use burn::tensor::{DType, Device, Tensor, TensorData};
use generator::uniform;
use kiln_optim_schedules::{AverageSpec, Averaged, Pace, Timeline};
use serde_json::{Value, json};

/// One parameter and one buffer.
#[derive(Module, Debug)]
struct Net {
    w: Param<Tensor<1>>,
    b: RunningState<Tensor<1>>,
}

impl Net {
    /// The values after step `step`.
    fn moved(self, step: u64, device: &Device) -> Self {
        let w = four(&format!("w.{step}"), device).require_grad();
        self.b.update(four(&format!("b.{step}"), device));
        Self { w: self.w.map(|_| w), b: self.b }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the generator's numbers are exact in f32")]
fn four(name: &str, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = uniform(name, 4).into_iter().map(|u| u as f32).collect();
    Tensor::from_data(TensorData::new(values, [4]), (device, DType::F32))
}

fn build(spec: &Value, total_steps: u64) -> Result<Pace, String> {
    let spec: AverageSpec = serde_json::from_value(spec.clone()).unwrap();
    spec.build(Timeline { steps_per_epoch: 10, total_steps }).map_err(|error| error.to_string())
}

#[test]
fn averages_match_timm_and_torch_after_every_step() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/numeric/averages.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let device = Device::flex().autodiff();
    for case in golden["cases"].as_array().unwrap() {
        let pace = build(&case["spec"], 20).unwrap();
        let mut net = Net {
            w: Param::from_tensor(four("w.0", &device)),
            b: RunningState::new(four("b.0", &device)),
        };
        let mut average = Averaged::new(&net);
        let mut rows = 0;
        for step in 1..=20 {
            net = net.moved(step, &device);
            let Some(part) = pace.part(step, average.updates) else { continue };
            average = average.towards(&net, part);
            let expected = |name: &str| case[name][rows].clone();
            let ours = [average.network.w.val(), average.network.b.value()];
            for (name, ours) in ["w", "b"].into_iter().zip(ours) {
                let theirs: Vec<f64> = serde_json::from_value(expected(name)).unwrap();
                for (ours, theirs) in ours.into_data().iter::<f64>().zip(theirs) {
                    let spec = &case["spec"];
                    assert!(
                        (ours - theirs).abs() <= 2e-7,
                        "{spec}: {name} after {step}: {ours}, not {theirs}"
                    );
                }
            }
            rows += 1;
        }
        assert_eq!(rows, case["w"].as_array().unwrap().len());
    }
}

#[test]
fn averages_that_never_are_taken_are_refused() {
    let rows = [
        (json!({ "type": "ema", "decay": 1.0 }), "decay must be at least 0 and below 1, found 1"),
        (
            json!({ "type": "ema", "every": { "steps": 0 } }),
            "every must be from one step to the stage, found 0 of 20 steps",
        ),
        (
            json!({ "type": "ema", "every": { "epochs": 3 } }),
            "every must be from one step to the stage, found 30 of 20 steps",
        ),
        (
            json!({ "type": "swa", "start": { "steps": 15 } }),
            "start must be one span of `every` before the stage's end, found 15 + 10 of 20 steps",
        ),
    ];
    for (spec, expected) in rows {
        assert_eq!(build(&spec, 20).unwrap_err(), expected);
    }
}
