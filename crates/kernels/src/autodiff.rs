//! The operations under autodiff: each runs its kernel once, remembers what its gradient needs, and registers the
//! backward step.

use crate::activation::Activation;
use crate::backend::{
    KernelBackend, KernelGradients, NormSettings, Normalized, Residual, SavedNorm, ScaledGradient,
    Window, shape_of,
};
use crate::batch_norm::SyncNorm;
use crate::convolution::ConvShape;
use crate::shared_input::{SharedInput, Turn};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::ops::{ActivationOps, FloatTensorOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, TensorMetadata};
use std::sync::Arc;

/// What the backward step of a convolution remembers.
#[derive(Debug, Clone)]
struct SavedConv<B: Backend> {
    shape: ConvShape,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    shared: Option<SharedInput>,
}

#[derive(Debug)]
struct ConvBackward;

impl<B: KernelGradients> Backward<B, 2> for ConvBackward {
    type State = SavedConv<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let SavedConv { shape, x, weight, shared } = ops.state;
        let [input, filter] = ops.parents;
        if let Some(filter) = filter {
            let dw = B::conv2d_weight_gradient(shape, x, dy.clone());
            gradients.register::<B>(filter.id, dw);
        }
        if let Some(input) = input {
            match shared.as_ref().map_or(Turn::Last(None), SharedInput::turn) {
                Turn::Last(other) => {
                    let dx = B::conv2d_input_gradient(shape, weight, dy, other);
                    gradients.register::<B>(input.id, dx);
                }
                Turn::First => {
                    let dx = B::conv2d_input_gradient(shape, weight, dy, None);
                    if let Some(shared) = shared {
                        shared.leave(dx);
                    }
                }
            }
        }
    }
}

#[derive(Debug)]
struct NormBackward {
    shared: Option<SharedInput>,
}

/// Three inputs, or four with a residual.
impl<B: KernelGradients, const N: usize> Backward<B, N> for NormBackward {
    type State = SavedNorm<B>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let needs_residual = ops.parents.get(3).is_some_and(Option::is_some);
        let found = B::batch_norm_backward(ops.state, dy, needs_residual);
        let all = [Some(found.x), Some(found.gamma), Some(found.beta), found.residual];
        for (i, (parent, gradient)) in ops.parents.into_iter().zip(all).enumerate() {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                let shared = self.shared.as_ref().filter(|_| i == 3);
                match shared.map_or(Turn::Last(None), SharedInput::turn) {
                    Turn::Last(None) => gradients.register::<B>(parent.id, gradient),
                    Turn::Last(Some(other)) => {
                        gradients.register::<B>(parent.id, B::float_add(gradient, other));
                    }
                    Turn::First => {
                        if let Some(shared) = shared {
                            shared.leave(gradient);
                        }
                    }
                }
            }
        }
    }
}

fn record_norm<B: KernelGradients, C: CheckpointStrategy, const N: usize>(
    inputs: [NodeGuard; N],
    saved: SavedNorm<B>,
    shared: Option<&SharedInput>,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    let step = NormBackward { shared: shared.cloned() };
    match Backward::<B, N>::prepare::<C>(step, inputs).compute_bound().stateful() {
        OpsKind::Tracked(node) => {
            shared.into_iter().for_each(SharedInput::join);
            node.finish(saved, output)
        }
        OpsKind::UnTracked(node) => node.finish(output),
    }
}

/// What the backward step of a pooling remembers.
#[derive(Debug, Clone)]
struct SavedPool {
    shape: ConvShape,
    winners: Arc<Vec<u8>>,
}

#[derive(Debug)]
struct PoolBackward;

impl<B: KernelGradients> Backward<B, 1> for PoolBackward {
    type State = SavedPool;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let [input] = ops.parents;
        if let Some(input) = input {
            let SavedPool { shape, winners } = ops.state;
            gradients.register::<B>(input.id, B::max_pool2d_backward(shape, &winners, dy));
        }
    }
}

/// What the backward step of a depthwise convolution remembers.
#[derive(Debug, Clone)]
struct SavedDepthwise<B: Backend> {
    shape: ConvShape,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
}

#[derive(Debug)]
struct DepthwiseBackward;

impl<B: KernelGradients> Backward<B, 2> for DepthwiseBackward {
    type State = SavedDepthwise<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let SavedDepthwise { shape, x, weight } = ops.state;
        let [input, filter] = ops.parents;
        if let Some(filter) = filter {
            let dw = B::depthwise_weight_gradient(shape, x, dy.clone());
            gradients.register::<B>(filter.id, dw);
        }
        if let Some(input) = input {
            gradients.register::<B>(input.id, B::depthwise_input_gradient(shape, weight, dy));
        }
    }
}

/// What the backward step of the channels' means remembers: the map's sizes, and where the gradient of its product with
/// the gates waits.
#[derive(Debug)]
struct MeansBackward {
    dims: [usize; 4],
    scaled: SharedInput,
}

impl<B: KernelGradients> Backward<B, 1> for MeansBackward {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dmeans = gradients.consume::<B>(&ops.node);
        let [input] = ops.parents;
        if let Some(input) = input {
            let scaled = match self.scaled.turn::<ScaledGradient<B>>() {
                Turn::First => None,
                Turn::Last(scaled) => scaled,
            };
            gradients.register::<B>(input.id, B::means_gradient(self.dims, dmeans, scaled));
        }
    }
}

/// What the backward step of a product with gates remembers.
#[derive(Debug, Clone)]
struct SavedScale<B: Backend> {
    x: FloatTensor<B>,
    gate: FloatTensor<B>,
    means: SharedInput,
}

#[derive(Debug)]
struct ScaleBackward;

impl<B: KernelGradients> Backward<B, 2> for ScaleBackward {
    type State = SavedScale<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let SavedScale { x, gate, means } = ops.state;
        let [input, gates] = ops.parents;
        if let Some(gates) = gates {
            gradients.register::<B>(gates.id, B::gate_gradient(x, dy.clone()));
        }
        if let Some(input) = input {
            let scaled = ScaledGradient { dy, gate };
            match means.turn::<ScaledGradient<B>>() {
                Turn::First => means.leave(scaled),
                Turn::Last(_) => gradients.register::<B>(input.id, B::scaled_gradient(scaled)),
            }
        }
    }
}

/// `y * scale + shift`, a value of each for every channel.
fn affine<B: KernelGradients, C: CheckpointStrategy>(
    y: FloatTensor<Autodiff<B, C>>,
    scale: FloatTensor<Autodiff<B, C>>,
    shift: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let channels = y.shape().dims::<4>()[1];
    let wide = |vector| Autodiff::<B, C>::float_reshape(vector, [1, channels, 1, 1].into());
    Autodiff::<B, C>::float_add(Autodiff::<B, C>::float_mul(y, wide(scale)), wide(shift))
}

fn activate<B: KernelGradients, C: CheckpointStrategy>(
    z: FloatTensor<Autodiff<B, C>>,
    activation: Activation,
) -> FloatTensor<Autodiff<B, C>> {
    match activation {
        Activation::None => z,
        Activation::Relu => Autodiff::<B, C>::relu(z),
        Activation::Silu => Autodiff::<B, C>::float_mul(z.clone(), Autodiff::<B, C>::sigmoid(z)),
    }
}

impl<B: KernelGradients, C: CheckpointStrategy> KernelBackend for Autodiff<B, C> {
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
        shared: Option<SharedInput>,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let shape = shape_of(x.shape().dims(), weight.shape().dims::<4>()[0], window);
        let y = B::kernel_conv2d(x.clone(), weight.clone(), window, None);
        let nodes = [x_node, weight_node];
        match Backward::<B, 2>::prepare::<C>(ConvBackward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(node) => {
                shared.iter().for_each(SharedInput::join);
                node.finish(SavedConv { shape, x, weight, shared }, y)
            }
            OpsKind::UnTracked(node) => node.finish(y),
        }
    }

    /// In one pass where nothing needs a gradient, else in steps that have them.
    fn kernel_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Residual<Self>,
        window: Window,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let added = match &residual {
            Residual::Add(residual) => residual.is_tracked(),
            Residual::Nothing => false,
        };
        if !added && ![&x, &weight, &scale, &shift].iter().any(|input| input.is_tracked()) {
            // A frozen part of a network: nothing asks for gradients.
            let residual = match residual {
                Residual::Add(residual) => Residual::Add(residual.into_primitive()),
                Residual::Nothing => Residual::Nothing,
            };
            let [x, weight, scale, shift] = [x, weight, scale, shift].map(Self::inner);
            let y = B::kernel_conv2d_affine(x, weight, scale, shift, residual, window, activation);
            return Self::from_inner(y);
        }
        let y = affine::<B, C>(Self::kernel_conv2d(x, weight, window, None), scale, shift);
        let y = match residual {
            Residual::Add(residual) => Self::float_add(y, residual),
            Residual::Nothing => y,
        };
        activate::<B, C>(y, activation)
    }

    fn kernel_depthwise_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let dims = x.shape().dims::<4>();
        let shape = shape_of(dims, dims[1], window);
        let y = B::kernel_depthwise_conv2d(x.clone(), weight.clone(), window);
        let nodes = [x_node, weight_node];
        match Backward::<B, 2>::prepare::<C>(DepthwiseBackward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(node) => node.finish(SavedDepthwise { shape, x, weight }, y),
            OpsKind::UnTracked(node) => node.finish(y),
        }
    }

    /// In steps that have gradients, as the other convolution.
    fn kernel_depthwise_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        window: Window,
        activation: Activation,
    ) -> FloatTensor<Self> {
        if ![&x, &weight, &scale, &shift].iter().any(|input| input.is_tracked()) {
            let [x, weight, scale, shift] = [x, weight, scale, shift].map(Self::inner);
            let y = B::kernel_depthwise_conv2d_affine(x, weight, scale, shift, window, activation);
            return Self::from_inner(y);
        }
        let y = Self::kernel_depthwise_conv2d(x, weight, window);
        activate::<B, C>(affine::<B, C>(y, scale, shift), activation)
    }

    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Residual<Self>,
        settings: NormSettings,
        shared: Option<SharedInput>,
        sync: Option<SyncNorm>,
    ) -> Normalized<Self> {
        let (x, x_node) = x.into_parts();
        let ((gamma, gamma_node), (beta, beta_node)) = (gamma.into_parts(), beta.into_parts());
        let (residual, residual_node) = match residual {
            Residual::Add(residual) => {
                let (residual, node) = residual.into_parts();
                (Some(residual), Some(node))
            }
            Residual::Nothing => (None, None),
        };
        let added = residual.clone().map_or(Residual::Nothing, Residual::Add);
        let (x_in, gamma_in, beta_in) = (x.clone(), gamma.clone(), beta.clone());
        let found =
            B::kernel_batch_norm(x_in, gamma_in, beta_in, added, settings, None, sync.clone());
        let Normalized { output, mean, variance } = found;
        let saved = SavedNorm {
            x,
            gamma,
            beta,
            mean: mean.clone(),
            variance: variance.clone(),
            residual: residual.filter(|_| settings.activation != Activation::None),
            settings,
            sync: sync.map(|sync| (sync.clone(), sync.latest_count().max(1))),
        };
        let inputs = [x_node, gamma_node, beta_node];
        let output = if let Some(residual) = residual_node {
            let [x, gamma, beta] = inputs;
            record_norm::<B, C, 4>([x, gamma, beta, residual], saved, shared.as_ref(), output)
        } else {
            record_norm::<B, C, 3>(inputs, saved, shared.as_ref(), output)
        };
        Normalized { output, mean: Self::from_inner(mean), variance: Self::from_inner(variance) }
    }

    fn kernel_max_pool2d(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let dims = x.shape().dims::<4>();
        let shape = shape_of(dims, dims[1], window);
        let (y, winners) = B::max_pool2d_with_winners(shape, x);
        match Backward::<B, 1>::prepare::<C>(PoolBackward, [node]).compute_bound().stateful() {
            OpsKind::Tracked(node) => node.finish(SavedPool { shape, winners }, y),
            OpsKind::UnTracked(node) => node.finish(y),
        }
    }

    fn kernel_channel_means(x: FloatTensor<Self>, gate: SharedInput) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let dims = x.shape().dims::<4>();
        let means = B::kernel_channel_means(x, gate.clone());
        let step = MeansBackward { dims, scaled: gate.clone() };
        match Backward::<B, 1>::prepare::<C>(step, [node]).compute_bound().stateful() {
            OpsKind::Tracked(node) => {
                gate.join();
                node.finish((), means)
            }
            OpsKind::UnTracked(node) => node.finish(means),
        }
    }

    fn kernel_scale_channels(
        x: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        means: SharedInput,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (gate, gate_node)) = (x.into_parts(), gate.into_parts());
        let y = B::kernel_scale_channels(x.clone(), gate.clone(), means.clone());
        let nodes = [x_node, gate_node];
        match Backward::<B, 2>::prepare::<C>(ScaleBackward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(node) => {
                means.join();
                node.finish(SavedScale { x, gate, means }, y)
            }
            OpsKind::UnTracked(node) => node.finish(y),
        }
    }
}
