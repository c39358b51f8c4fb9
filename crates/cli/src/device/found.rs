//! The devices of this machine that this program can use.

use super::backend::{Adapter, Backend};
use burn::tensor::{DType, Device};
use serde::Serialize;

/// A device that is there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FoundDevice {
    /// What `--device` calls it.
    pub(crate) device: String,
    /// What its driver calls it.
    pub(crate) name: String,
    /// Its memory in bytes, where that can be asked for.
    pub(crate) memory_bytes: Option<u64>,
    /// Number formats in which it computes.
    pub(crate) dtypes: Vec<&'static str>,
    #[serde(skip)]
    pub(crate) backend: Backend,
    /// Its kind, where the backend tells kinds apart.
    #[serde(skip)]
    pub(crate) adapter: Option<Adapter>,
    /// Which of its backend, or of its kind where there are kinds.
    #[serde(skip)]
    pub(crate) index: usize,
    #[serde(skip)]
    pub(crate) handle: Device,
}

impl FoundDevice {
    /// Opens the device to ask for its properties.
    fn new(backend: Backend, adapter: Option<Adapter>, index: usize, handle: Device) -> Self {
        let device = match (backend, adapter) {
            (Backend::Flex, _) => "flex".to_owned(),
            (_, Some(adapter)) => format!("{}:{}:{index}", backend.name(), adapter.name()),
            (_, None) => format!("{}:{index}", backend.name()),
        };
        let formats = [("f32", DType::F32), ("f16", DType::F16), ("bf16", DType::BF16)];
        let supported = formats.into_iter().filter(|(_, dtype)| handle.supports_dtype(*dtype));
        let dtypes = supported.map(|(name, _)| name).collect();
        let name = name(backend, &handle);
        let memory_bytes = match backend {
            Backend::Flex => of_proc("/proc/meminfo", "MemTotal").and_then(|text| {
                let kibibytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
                Some(kibibytes * 1024)
            }),
            _ => memory_of_card(&handle),
        };
        Self { device, name, memory_bytes, dtypes, backend, adapter, index, handle }
    }
}

/// The memory of the card that a device is on, where that is NVIDIA's.
#[cfg(feature = "cuda")]
fn memory_of_card(handle: &Device) -> Option<u64> {
    let address = handle.identity()?.physical?.pci_address?;
    super::nvidia::memory_bytes(&address.to_string())
}

/// Burn tells nothing of a device's memory.
#[cfg(not(feature = "cuda"))]
fn memory_of_card(_: &Device) -> Option<u64> {
    None
}

/// All of them, of each backend in the order of its numbers.
pub(crate) fn found() -> Vec<FoundDevice> {
    Backend::ALL.into_iter().flat_map(found_of).collect()
}

/// Those of one backend.
pub(crate) fn found_of(backend: Backend) -> Vec<FoundDevice> {
    let there = backend.devices();
    if !backend.has_adapters() {
        let numbered = there.into_iter().enumerate();
        return numbered.map(|(i, device)| FoundDevice::new(backend, None, i, device)).collect();
    }
    let of_kind = |kind| {
        let numbered = (0..).map_while(move |i| Some((i, backend.adapter(kind, i)?)));
        let there = &there;
        let named = numbered.take_while(move |(_, device)| there.contains(device));
        named.map(move |(i, device)| FoundDevice::new(backend, Some(kind), i, device))
    };
    Adapter::ALL.into_iter().flat_map(of_kind).collect()
}

fn name(backend: Backend, handle: &Device) -> String {
    if backend == Backend::Flex {
        let processor = of_proc("/proc/cpuinfo", "model name");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let processor = processor.unwrap_or_else(|| "processor".to_owned());
        return format!("{processor}, {threads} threads");
    }
    #[cfg(any(feature = "wgpu-plain", feature = "cuda"))]
    if let Some(identity) = handle.identity() {
        return identity.name;
    }
    format!("{handle:?}")
}

/// The first line of a file of Linux about `key`.
fn of_proc(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
