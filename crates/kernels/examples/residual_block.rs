//! A residual block on the kernels: forward, backward, and inference with folded batch norms.
//! Run: `cargo run -p kiln-kernels --example residual_block`

#![allow(clippy::print_stdout, reason = "an example")]

use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Distribution, Tensor};
use kiln_kernels::{
    Activation, NormLinks, NormSettings, SharedInput, Window, batch_norm, batch_norm_linked,
    conv2d, conv2d_affine, conv2d_shared,
};

const WINDOW: Window = Window { kernel: [3, 3], stride: [1, 1], padding: [1, 1] };

fn affine(norm: &BatchNorm) -> [Tensor<1>; 2] {
    [norm.gamma.val(), norm.beta.val()]
}

fn main() {
    let device = Device::flex().autodiff();
    let conv = |device: &Device| Conv2dConfig::new([64, 64], [3, 3]).with_bias(false).init(device);
    let norm = |device: &Device| BatchNormConfig::new(64).init(device);
    let (conv1, conv2) = (conv(&device), conv(&device));
    let (bn1, bn2) = (norm(&device), norm(&device));
    let x = Tensor::<4>::random([8, 64, 32, 32], Distribution::Default, &device).require_grad();
    let settings = NormSettings { epsilon: 1e-5, activation: Activation::Relu };

    // The input goes two ways: into the first convolution and around the block.
    let shared = SharedInput::default();
    let y = conv2d_shared(x.clone(), conv1.weight.val(), WINDOW, &shared);
    let y = batch_norm(y, affine(&bn1), None, settings).output;
    let y = conv2d(y, conv2.weight.val(), WINDOW);
    let links = NormLinks { shared: Some(&shared), sync: None };
    let y = batch_norm_linked(y, affine(&bn2), Some(x.clone()), settings, links).output;
    println!("training: {:?}, mean {:.4}", y.dims(), y.clone().mean().into_scalar::<f32>());

    let gradients = y.sum().backward();
    let largest = |tensor: Tensor<4>| tensor.abs().max().into_scalar::<f32>();
    if let (Some(dx), Some(dw)) = (x.grad(&gradients), conv1.weight.val().grad(&gradients)) {
        println!(
            "largest gradients: {:.4} of the input, {:.4} of a weight",
            largest(dx),
            largest(dw)
        );
    }

    // Inference: scale and shift of the running statistics, residual and ReLU behind the convolution.
    let device = Device::flex();
    let (conv, norm) = (conv(&device), norm(&device));
    let x = Tensor::<4>::random([8, 64, 32, 32], Distribution::Default, &device);
    let scale = norm.gamma.val() / norm.running_var.value().add_scalar(1e-5).sqrt();
    let shift = norm.beta.val() - norm.running_mean.value() * scale.clone();
    let y = conv2d_affine(
        x.clone(),
        conv.weight.val(),
        [scale, shift],
        Some(x),
        WINDOW,
        Activation::Relu,
    );
    println!("inference: {:?}, mean {:.4}", y.dims(), y.mean().into_scalar::<f32>());
}
