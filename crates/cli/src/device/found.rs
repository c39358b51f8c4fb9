//! The devices of this machine that this program can use.

use super::backend::{Adapter, Backend};
use burn::tensor::{DType, Device};
use serde::Serialize;

/// A device that is there, by its place in the listing of its backend. Nothing has been opened for it.
#[derive(Debug, Clone)]
pub(crate) struct FoundDevice {
    pub(crate) backend: Backend,
    /// Its kind, where the backend tells kinds apart.
    pub(crate) adapter: Option<Adapter>,
    /// Which of its backend, or of its kind where there are kinds.
    pub(crate) index: usize,
    pub(crate) handle: Device,
}

/// What there is to say of a device.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeviceProperties {
    /// What `--device` calls it.
    pub(crate) device: String,
    /// What its driver calls it.
    pub(crate) name: String,
    /// Its memory in bytes, where that can be asked for.
    pub(crate) memory_bytes: Option<u64>,
    /// Number formats in which it computes.
    pub(crate) dtypes: Vec<&'static str>,
}

impl FoundDevice {
    /// What `--device` calls it.
    pub(crate) fn device(&self) -> String {
        match (self.backend, self.adapter) {
            (Backend::Flex, _) => "flex".to_owned(),
            (backend, Some(adapter)) => {
                format!("{}:{}:{}", backend.name(), adapter.name(), self.index)
            }
            (backend, None) => format!("{}:{}", backend.name(), self.index),
        }
    }

    /// Opens the device to ask for its properties.
    pub(crate) fn properties(&self) -> DeviceProperties {
        let formats = [("f32", DType::F32), ("f16", DType::F16), ("bf16", DType::BF16)];
        let supported = formats.into_iter().filter(|(_, dtype)| self.handle.supports_dtype(*dtype));
        let memory_bytes = match self.backend {
            Backend::Flex => system_memory_bytes(),
            _ => memory_of_card(&self.handle),
        };
        DeviceProperties {
            device: self.device(),
            name: name(self.backend, &self.handle),
            memory_bytes,
            dtypes: supported.map(|(name, _)| name).collect(),
        }
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
        let found = |(index, handle)| FoundDevice { backend, adapter: None, index, handle };
        return numbered.map(found).collect();
    }
    let of_kind = |kind| {
        let numbered = (0..).map_while(move |i| Some((i, backend.adapter(kind, i)?)));
        let there = &there;
        let named = numbered.take_while(move |(_, device)| there.contains(device));
        named.map(move |(index, handle)| FoundDevice {
            backend,
            adapter: Some(kind),
            index,
            handle,
        })
    };
    Adapter::ALL.into_iter().flat_map(of_kind).collect()
}

fn name(backend: Backend, handle: &Device) -> String {
    if backend == Backend::Flex {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let processor = kiln_trainer::processor().unwrap_or_else(|| "processor".to_owned());
        return format!("{processor}, {threads} threads");
    }
    #[cfg(any(feature = "wgpu-plain", feature = "cuda"))]
    if let Some(identity) = handle.identity() {
        return identity.name;
    }
    format!("{handle:?}")
}

/// The machine's memory, where Linux tells it.
fn system_memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
