//! The networks of the family.

/// A residual network by its reference's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResNetVariant {
    /// He et al. 2015, table 1: 11.7M parameters at 1000 classes.
    ResNet18,
    /// 21.8M parameters.
    ResNet34,
    /// 25.6M parameters.
    ResNet50,
    /// 44.5M parameters.
    ResNet101,
    /// 60.2M parameters.
    ResNet152,
    /// Twice as wide inside of the bottlenecks (Zagoruyko and Komodakis 2016): 68.9M parameters.
    WideResNet50x2,
    /// 32 groups of 4 channels inside of the bottlenecks (Xie et al. 2016): 25.0M parameters.
    ResNeXt50x32x4d,
}

impl ResNetVariant {
    /// Blocks in each of the four layers.
    pub const fn blocks(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 | Self::WideResNet50x2 | Self::ResNeXt50x32x4d => {
                [3, 4, 6, 3]
            }
            Self::ResNet101 => [3, 4, 23, 3],
            Self::ResNet152 => [3, 8, 36, 3],
        }
    }

    pub(super) const fn has_bottlenecks(self) -> bool {
        !matches!(self, Self::ResNet18 | Self::ResNet34)
    }

    /// Groups of a bottleneck's 3x3 convolution.
    pub(super) const fn groups(self) -> usize {
        match self {
            Self::ResNeXt50x32x4d => 32,
            _ => 1,
        }
    }

    /// Channels inside of a bottleneck, whose first layer has 64.
    pub(super) const fn inner_width(self, width: usize) -> usize {
        match self {
            Self::WideResNet50x2 | Self::ResNeXt50x32x4d => 2 * width,
            _ => width,
        }
    }
}
