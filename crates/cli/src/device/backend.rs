//! The backends, and those of them that this program was built with.

use burn::tensor::Device;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The CPU.
    Flex,
    /// Any GPU through whatever graphics interface it has.
    Wgpu,
    /// Any GPU through Vulkan, with kernels in SPIR-V.
    Vulkan,
    /// Apple's GPUs.
    Metal,
    /// NVIDIA's GPUs.
    Cuda,
}

/// A kind of adapter that graphics interfaces tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adapter {
    Discrete,
    Integrated,
    Virtual,
    /// A driver that computes on the CPU.
    Cpu,
}

impl Adapter {
    /// From the one that is fastest as a rule.
    pub(crate) const ALL: [Self; 4] = [Self::Discrete, Self::Integrated, Self::Virtual, Self::Cpu];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Cpu => "cpu",
        }
    }
}

impl Backend {
    pub(crate) const ALL: [Self; 5] =
        [Self::Flex, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda];

    /// Its name on the command line, which is also that of the cargo feature that brings it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
        }
    }

    /// Whether this program was built with it.
    pub(crate) fn is_built(self) -> bool {
        match self {
            Self::Flex => true,
            Self::Wgpu => cfg!(feature = "wgpu-plain"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Whether its devices are adapters of several kinds.
    pub(crate) fn has_adapters(self) -> bool {
        matches!(self, Self::Wgpu | Self::Vulkan | Self::Metal)
    }

    /// The devices that it has on this machine; none where it was not built in or has no driver.
    pub(crate) fn devices(self) -> Vec<Device> {
        match self {
            Self::Flex => vec![Device::flex()],
            #[cfg(feature = "wgpu-plain")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec(),
            #[cfg(feature = "metal")]
            Self::Metal => Device::enumerate(burn::tensor::DeviceType::Metal).into_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(),
            #[allow(unreachable_patterns, reason = "unreachable only with all features")]
            _ => Vec::new(),
        }
    }

    /// The name of an adapter for Burn, which does not look whether there is one; absent for a backend without adapters.
    pub(crate) fn adapter(self, adapter: Adapter, index: usize) -> Option<Device> {
        #[cfg(feature = "wgpu-plain")]
        {
            use burn::tensor::DeviceKind;
            let kind = match adapter {
                Adapter::Discrete => DeviceKind::DiscreteGpu(index),
                Adapter::Integrated => DeviceKind::IntegratedGpu(index),
                Adapter::Virtual => DeviceKind::VirtualGpu(index),
                Adapter::Cpu if index == 0 => DeviceKind::Cpu,
                Adapter::Cpu => return None,
            };
            match self {
                Self::Wgpu => return Some(Device::wgpu(kind)),
                #[cfg(feature = "vulkan")]
                Self::Vulkan => return Some(Device::vulkan(kind)),
                #[cfg(feature = "metal")]
                Self::Metal => return Some(Device::metal(kind)),
                _ => {}
            }
        }
        let _ = (self, adapter, index);
        None
    }
}
