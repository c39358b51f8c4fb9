//! From a device's name to Burn's device. This is the only crate that knows the backends.

use crate::exit::Usage;
use burn::tensor::Device;
use clap::ValueEnum;

/// Devices by the name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceName {
    /// The CPU.
    Flex,
    /// Any GPU through WebGPU's API.
    Wgpu,
    /// Any GPU through Vulkan.
    Vulkan,
    /// Apple's GPUs.
    Metal,
    /// NVIDIA's GPUs.
    Cuda,
}

impl DeviceName {
    /// Opens the device.
    ///
    /// # Errors
    /// [`Usage`] when the program was built without it or the machine does not have it.
    pub(crate) fn open(self) -> Result<Device, Usage> {
        match self {
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => first(self, burn::tensor::DeviceType::Wgpu),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => first(self, burn::tensor::DeviceType::Vulkan),
            #[cfg(feature = "metal")]
            Self::Metal => first(self, burn::tensor::DeviceType::Metal),
            #[cfg(feature = "cuda")]
            Self::Cuda => first(self, burn::tensor::DeviceType::Cuda),
            #[allow(unreachable_patterns, reason = "unreachable only with all features")]
            _ => Err(Usage(format!(
                "this build has no device `{0}`; `cargo xtask NAME --device {0}` builds one, \
                 or add `--features {0}` to cargo's arguments",
                self.name()
            ))),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "cuda"))]
fn first(name: DeviceName, kind: burn::tensor::DeviceType) -> Result<Device, Usage> {
    Device::enumerate(kind).into_vec().into_iter().next().ok_or_else(|| {
        Usage(format!("this machine has no device `{}` that its drivers show", name.name()))
    })
}
