//! Gradients summed over micro-batches and divided by the number of pictures are those of one large batch.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::MixedLabel;
use kiln_optim_schedules::{Gradients, OptimizerSpec, Rates};
use kiln_trainer::{Loss, LossSpec, SmoothOver};
use proptest::prelude::*;

const FEATURES: usize = 6;
const CLASSES: usize = 4;

/// Two layers without batch norm, whose statistics would differ between batch sizes.
#[derive(Module, Debug)]
struct Net {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
}

fn tensor(values: &[f32], shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
}

impl Net {
    fn new(device: &Device) -> Self {
        let values: Vec<f32> = (0..FEATURES * 8 + 8 * CLASSES)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 60.0)
            .collect();
        let (first, second) = values.split_at(FEATURES * 8);
        Self {
            first: Param::from_tensor(tensor(first, [FEATURES, 8], device)),
            second: Param::from_tensor(tensor(second, [8, CLASSES], device)),
        }
    }

    /// One optimizer step on the batch, `micro` pictures at a time.
    fn step(self, inputs: &[f32], labels: &[u32], micro: usize, device: &Device) -> Self {
        let mut gradients = Gradients::default();
        for (inputs, labels) in inputs.chunks(micro * FEATURES).zip(labels.chunks(micro)) {
            let input = tensor(inputs, [labels.len(), FEATURES], device);
            let logits = relu(input.matmul(self.first.val())).matmul(self.second.val());
            let labels: Vec<_> = labels.iter().copied().map(MixedLabel::pure).collect();
            let smooth_over = SmoothOver::AllClasses;
            let loss = LossSpec::CrossEntropy { label_smoothing: 0.1, smooth_over };
            let loss = Loss::new(loss, None).sum(logits, &labels, device);
            gradients.add(loss.backward(), &self);
        }
        gradients.scale(1.0 / labels.len() as f64);
        let mut sgd =
            serde_json::from_str::<OptimizerSpec>(r#"{ "type": "sgd" }"#).unwrap().build().unwrap();
        sgd.step(self, gradients, Rates { lr: 1.0, momentum: None })
    }

    fn values(&self) -> Vec<f32> {
        let tensors = [self.first.val(), self.second.val()];
        tensors.into_iter().flat_map(|t| t.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
    }
}

proptest! {
    #[test]
    fn micro_batches_equal_one_batch(
        inputs in prop::collection::vec(-2.0_f32..2.0, FEATURES..=FEATURES * 12),
        micro in 1_usize..6,
    ) {
        let device = Device::flex().autodiff();
        let samples = inputs.len() / FEATURES;
        let inputs = &inputs[..samples * FEATURES];
        let labels: Vec<u32> = (0_u32..).map(|i| i * 7 % 4).take(samples).collect();
        let split = Net::new(&device).step(inputs, &labels, micro, &device).values();
        let whole = Net::new(&device).step(inputs, &labels, samples, &device).values();
        for (split, whole) in split.iter().zip(&whole) {
            // f32 sums in another order.
            prop_assert!((split - whole).abs() <= 1e-5, "{split} is not {whole}");
        }
    }
}
