//! A training step, or a single pass, on a batch that lies in memory.

use super::step::Case;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::MixedLabel;
use kiln_models::{Kernels, ModelSpec, Network, UnitSource};
use kiln_optim_schedules::{Gradients, Optimizer, OptimizerSpec, Rates};
use kiln_trainer::Loss;
use kiln_trainer::spec::Precision;
use std::time::Instant;

/// The network of a case, with values of no meaning that are the same in every process.
pub(super) fn network(case: Case, device: &Device) -> anyhow::Result<Network> {
    let spec: ModelSpec = serde_json::from_value(serde_json::json!({ "type": case.network }))?;
    Ok(spec.initialize(10, device, source)?)
}

fn source(_: &str) -> UnitSource {
    let mut state = 1_u64;
    Box::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// The pictures of a case.
pub(super) fn pictures(case: Case, device: &Device) -> Tensor<4> {
    let pixels = case.batch * 3 * case.size * case.size;
    // No two pictures alike, or a batch norm behind them would divide by nearly nothing.
    let values: Vec<f32> = (0..pixels).map(|i| (i * i % 1021) as f32 / 1021.0 - 0.5).collect();
    let data = TensorData::new(values, [case.batch, 3, case.size, case.size]);
    Tensor::from_data(data, (device, DType::F32))
}

/// A training step on the same pictures again and again.
pub(crate) struct BareStep {
    network: Network,
    optimizer: Optimizer,
    pictures: Tensor<4>,
    labels: Vec<MixedLabel>,
    loss: Loss,
    precision: Precision,
    device: Device,
}

/// What a pass forward and backward gives.
pub(crate) struct Pass {
    pub(crate) logits: Vec<f32>,
    /// Of all parameters, in the network's order.
    pub(crate) gradients: Vec<f32>,
}

impl BareStep {
    /// Of a case with the fast kernels.
    pub(crate) fn on(case: Case, device: &Device, precision: Precision) -> anyhow::Result<Self> {
        let device = device.clone().autodiff();
        let network = network(case, &device)?.with_kernels(Kernels::Fast);
        Self::new(network, case, &device, precision)
    }

    /// A training step of a network.
    pub(super) fn new(
        network: Network,
        case: Case,
        device: &Device,
        precision: Precision,
    ) -> anyhow::Result<Self> {
        let labels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].into_iter().cycle().take(case.batch);
        Ok(Self {
            network,
            optimizer: serde_json::from_str::<OptimizerSpec>(r#"{ "type": "sgd" }"#)?.build()?,
            pictures: pictures(case, device),
            labels: labels.map(MixedLabel::pure).collect(),
            loss: Loss::new(serde_json::from_str(r#"{ "type": "cross_entropy" }"#)?, None),
            precision,
            device: device.clone(),
        })
    }

    fn forward_backward(&self) -> (Tensor<2>, Gradients) {
        let pictures = self.pictures.clone().cast(self.precision.dtype());
        let logits = self.network.forward(pictures);
        let loss = self.loss.sum(logits.clone(), &self.labels, &self.device);
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), &self.network);
        gradients.scale(1.0 / self.labels.len() as f64);
        (logits, gradients)
    }

    /// Does one step and returns its seconds.
    pub(super) fn step(mut self) -> anyhow::Result<(Self, f64)> {
        let began = Instant::now();
        let (_, gradients) = self.forward_backward();
        let rates = Rates { lr: 1e-3, momentum: None };
        self.network = self.optimizer.step(self.network, gradients, rates);
        // What was asked of a GPU is not done yet.
        self.device.sync()?;
        Ok((self, began.elapsed().as_secs_f64()))
    }

    /// One pass without an update.
    pub(crate) fn pass(&self) -> anyhow::Result<Pass> {
        let (logits, mut gradients) = self.forward_backward();
        let logits = logits.inner().try_into_data()?.iter::<f32>().collect();
        let mut values = Vec::new();
        gradients.complete(&self.network);
        gradients.replace_joined(usize::MAX, |joined| {
            values.extend(joined.clone().try_into_data()?.iter::<f32>());
            Ok::<_, anyhow::Error>(joined)
        })?;
        Ok(Pass { logits, gradients: values })
    }
}
