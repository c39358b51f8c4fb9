//! The value of `--device`.

use super::backend::{Adapter, Backend};
use super::found::{FoundDevice, found_of};
use crate::exit::Usage;
use burn::tensor::Device;
use std::fmt;
use std::str::FromStr;

/// A device by its name on the command line: `flex`, `cuda[:INDEX]`, `wgpu[:KIND[:INDEX]]`, `vulkan` and `metal` likewise,
/// or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceChoice {
    /// The fastest that is there.
    Auto,
    /// One of a backend.
    Of { backend: Backend, adapter: Option<Adapter>, index: Option<usize> },
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        if name == "auto" && rest.is_empty() {
            return Ok(Self::Auto);
        }
        let backend = Backend::ALL.into_iter().find(|backend| backend.name() == name);
        let backend = backend.ok_or_else(|| {
            "devices are flex, cuda[:INDEX], wgpu[:KIND[:INDEX]], vulkan[:KIND[:INDEX]], metal[:KIND[:INDEX]] and auto"
                .to_owned()
        })?;
        let (adapter, index) = match (rest.as_slice(), backend.has_adapters()) {
            ([], _) => (None, None),
            ([index], false) if backend == Backend::Cuda => (None, Some(number(index)?)),
            ([kind], true) => (Some(adapter(kind)?), None),
            ([kind, index], true) => (Some(adapter(kind)?), Some(number(index)?)),
            _ => return Err(format!("there is too much after `{name}`")),
        };
        Ok(Self::Of { backend, adapter, index })
    }
}

fn adapter(kind: &str) -> Result<Adapter, String> {
    let adapter = Adapter::ALL.into_iter().find(|adapter| adapter.name() == kind);
    adapter.ok_or_else(|| format!("a kind is discrete, integrated, virtual or cpu, not `{kind}`"))
}

fn number(index: &str) -> Result<usize, String> {
    index.parse().map_err(|_| format!("`{index}` is not the number of a device, from 0"))
}

impl DeviceChoice {
    pub(crate) const FLEX: Self = Self::Of { backend: Backend::Flex, adapter: None, index: None };

    /// Itself, or what `auto` stands for on this machine.
    pub(crate) fn resolved(self) -> Self {
        match self {
            Self::Auto => {
                let FoundDevice { backend, adapter, index, .. } = fastest();
                let index = Some(index).filter(|_| backend != Backend::Flex);
                Self::Of { backend, adapter, index }
            }
            of @ Self::Of { .. } => of,
        }
    }

    /// Its backend, unless that is to be found.
    pub(crate) fn backend(self) -> Option<Backend> {
        match self {
            Self::Auto => None,
            Self::Of { backend, .. } => Some(backend),
        }
    }

    /// PyTorch's name for it, if it has one.
    pub(crate) fn for_pytorch(self) -> Option<String> {
        match self {
            Self::Of { backend: Backend::Flex, .. } => Some("cpu".to_owned()),
            Self::Of { backend: Backend::Cuda, index, .. } => {
                Some(format!("cuda:{}", index.unwrap_or(0)))
            }
            Self::Of { backend: Backend::Metal, .. } => Some("mps".to_owned()),
            _ => None,
        }
    }

    /// Opens the device. Of several processes of a job on one machine that ask for a backend without a number, each gets the
    /// one of its local rank, from the start again where there are fewer.
    ///
    /// # Errors
    /// [`Usage`] when the program was built without it or the machine does not have it.
    pub(crate) fn open(self) -> Result<Device, Usage> {
        match self {
            Self::Auto => Ok(fastest().handle),
            Self::Of { backend: Backend::Flex, .. } => Ok(Device::flex()),
            Self::Of { backend, adapter, index } => {
                let devices = built(backend)?;
                let of_kind = devices.iter().filter(|device| {
                    // Without a kind, the first that is there.
                    let kind = adapter.or(devices.first().and_then(|first| first.adapter));
                    device.adapter == kind
                });
                let of_kind: Vec<&FoundDevice> = of_kind.collect();
                let chosen = match index {
                    Some(index) => of_kind.iter().find(|device| device.index == index),
                    None => of_kind.get(kiln_parallel::local_rank() % of_kind.len().max(1)),
                };
                chosen.map(|device| device.handle.clone()).ok_or_else(|| {
                    let asked = asked(backend, adapter, index);
                    let there: Vec<String> = devices.iter().map(FoundDevice::device).collect();
                    Usage(format!(
                        "this machine has no device `{asked}`; it has {}",
                        there.join(", ")
                    ))
                })
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Auto => f.write_str("auto"),
            Self::Of { backend, adapter, index } => f.write_str(&asked(backend, adapter, index)),
        }
    }
}

/// What a backend has, or why it has nothing.
fn built(backend: Backend) -> Result<Vec<FoundDevice>, Usage> {
    let name = backend.name();
    if !backend.is_built() {
        return Err(Usage(format!(
            "this build has no device `{name}`; `cargo xtask NAME --device {name}` builds one, or add `--features {name}` \
             to cargo's arguments (`kiln devices` lists what this build and this machine have)"
        )));
    }
    let devices = found_of(backend);
    if devices.is_empty() {
        let driver = match backend {
            Backend::Flex => "",
            Backend::Wgpu => {
                "a driver for Vulkan, Metal, DirectX 12 or OpenGL (Debian's mesa-vulkan-drivers has one that computes on the CPU)"
            }
            Backend::Vulkan => "a driver for Vulkan",
            Backend::Metal => "a Mac",
            Backend::Cuda => {
                "NVIDIA's driver, whose libcuda.so.1 must be found, and a GPU that it shows (`nvidia-smi` lists them)"
            }
        };
        return Err(Usage(format!(
            "this machine has no device `{name}`: it takes {driver}; `--device flex` computes on the CPU"
        )));
    }
    Ok(devices)
}

/// The first GPU of the backends in this build, fastest first, or the CPU. Of several processes each gets one of those of
/// that GPU's kind.
fn fastest() -> FoundDevice {
    for backend in [Backend::Cuda, Backend::Metal, Backend::Vulkan, Backend::Wgpu] {
        let devices = found_of(backend);
        let first = devices.iter().find(|device| device.adapter != Some(Adapter::Cpu));
        let Some(kind) = first.map(|first| first.adapter) else { continue };
        let alike: Vec<&FoundDevice> =
            devices.iter().filter(|device| device.adapter == kind).collect();
        if let Some(gpu) = alike.get(kiln_parallel::local_rank() % alike.len().max(1)) {
            return (*gpu).clone();
        }
    }
    FoundDevice { backend: Backend::Flex, adapter: None, index: 0, handle: Device::flex() }
}

fn asked(backend: Backend, adapter: Option<Adapter>, index: Option<usize>) -> String {
    let kind = adapter.map(|adapter| format!(":{}", adapter.name())).unwrap_or_default();
    let index = index.map(|index| format!(":{index}")).unwrap_or_default();
    format!("{}{kind}{index}", backend.name())
}

#[cfg(test)]
mod tests {
    use super::DeviceChoice;
    use crate::device::backend::{Adapter, Backend};

    #[test]
    fn names_are_read() {
        let of = |backend, adapter, index| Ok(DeviceChoice::Of { backend, adapter, index });
        let check = |text: &str, expect: Result<DeviceChoice, ()>| {
            assert_eq!(text.parse::<DeviceChoice>().map_err(|_| ()), expect, "{text}");
        };
        check("auto", Ok(DeviceChoice::Auto));
        check("flex", Ok(DeviceChoice::FLEX));
        check("cuda", of(Backend::Cuda, None, None));
        check("cuda:3", of(Backend::Cuda, None, Some(3)));
        check("wgpu:cpu", of(Backend::Wgpu, Some(Adapter::Cpu), None));
        check("wgpu:discrete:1", of(Backend::Wgpu, Some(Adapter::Discrete), Some(1)));
        check("vulkan:virtual", of(Backend::Vulkan, Some(Adapter::Virtual), None));
        check("metal:integrated:0", of(Backend::Metal, Some(Adapter::Integrated), Some(0)));
        let wrong = [
            "",
            "gpu",
            "flex:0",
            "auto:1",
            "cuda:one",
            "cuda:0:1",
            "wgpu:0",
            "wgpu:cpu:0:1",
            "wgpu:cpu:-1",
        ];
        for text in wrong {
            check(text, Err(()));
        }
    }

    #[test]
    fn a_backend_that_was_not_built_says_how_to_build_it() {
        for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_built()) {
            let choice = DeviceChoice::Of { backend, adapter: None, index: None };
            let error = choice.open().err().map(|error| error.0).unwrap_or_default();
            assert!(error.contains(&format!("--features {}", backend.name())), "{error}");
        }
        assert!(DeviceChoice::Auto.open().is_ok());
    }
}
