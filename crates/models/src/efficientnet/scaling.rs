//! Widths, depths and dropout of the family: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
//! Networks", 2019.

/// A network of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the paper's names")]
pub enum EfficientNetVariant {
    B0,
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    B7,
}

/// Blocks of one stage before scaling: table 1 of the paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    /// Channels inside of a block for each one of its input.
    pub(super) expansion: usize,
    pub(super) kernel: usize,
    /// Of the first block.
    pub(super) stride: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) blocks: usize,
}

const fn stage(row: [usize; 6]) -> Stage {
    let [expansion, kernel, stride, inputs, outputs, blocks] = row;
    Stage { expansion, kernel, stride, inputs, outputs, blocks }
}

/// EfficientNet-B0: expansion, kernel, stride, inputs, outputs, blocks.
const STAGES: [Stage; 7] = [
    stage([1, 3, 1, 32, 16, 1]),
    stage([6, 3, 2, 16, 24, 2]),
    stage([6, 5, 2, 24, 40, 2]),
    stage([6, 3, 2, 40, 80, 3]),
    stage([6, 5, 1, 80, 112, 3]),
    stage([6, 5, 2, 112, 192, 4]),
    stage([6, 3, 1, 192, 320, 1]),
];

impl EfficientNetVariant {
    /// Factors of width and depth, and dropout before the classifier, as the authors published them.
    const fn coefficients(self) -> (f64, f64, f64) {
        match self {
            Self::B0 => (1.0, 1.0, 0.2),
            Self::B1 => (1.0, 1.1, 0.2),
            Self::B2 => (1.1, 1.2, 0.3),
            Self::B3 => (1.2, 1.4, 0.3),
            Self::B4 => (1.4, 1.8, 0.4),
            Self::B5 => (1.6, 2.2, 0.4),
            Self::B6 => (1.8, 2.6, 0.5),
            Self::B7 => (2.0, 3.1, 0.5),
        }
    }

    /// Probability of dropping a feature before the classifier, where the settings give none.
    pub fn dropout(self) -> f64 {
        self.coefficients().2
    }

    /// Whether torchvision gives the network the constants of the authors' code: see
    /// [`Constants`](super::Constants).
    pub(super) const fn is_large(self) -> bool {
        matches!(self, Self::B5 | Self::B6 | Self::B7)
    }

    pub(super) fn stages(self) -> [Stage; 7] {
        let (_, depth, _) = self.coefficients();
        STAGES.map(|stage| Stage {
            inputs: self.width(stage.inputs),
            outputs: self.width(stage.outputs),
            blocks: scaled(stage.blocks, depth, f64::ceil),
            ..stage
        })
    }

    /// `channels` times the factor of width, to the nearest multiple of 8, but at most a tenth less.
    fn width(self, channels: usize) -> usize {
        let (width, ..) = self.coefficients();
        let rounded = scaled(channels, width, |value| ((value + 4.0) / 8.0).floor() * 8.0).max(8);
        if (rounded as f64) < 0.9 * width * channels as f64 { rounded + 8 } else { rounded }
    }

    /// Channels behind the last convolution.
    pub(super) fn features(self) -> usize {
        4 * self.width(STAGES[STAGES.len() - 1].outputs)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few thousand channels at most"
)]
fn scaled(count: usize, factor: f64, round: impl Fn(f64) -> f64) -> usize {
    round(count as f64 * factor) as usize
}
