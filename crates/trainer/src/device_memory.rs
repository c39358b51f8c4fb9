//! How much memory training takes.

use burn::tensor::Device;

/// Bytes that the device has reserved; on the CPU the peak resident memory of the process, where Linux tells it.
pub fn device_memory_bytes(device: &Device) -> Option<u64> {
    match device.memory_pool_usage() {
        Some(usage) => Some(usage.bytes_reserved),
        None => peak_resident_bytes(),
    }
}

/// Peak resident memory of this process, where Linux tells it.
pub fn peak_resident_bytes() -> Option<u64> {
    of_status("VmHWM:")
}

/// Resident memory of this process, where Linux tells it.
pub(crate) fn resident_bytes() -> Option<u64> {
    of_status("VmRSS:")
}

/// What [`device_memory_bytes`] will have grown from: on the CPU the peak is forgotten, where Linux can.
pub(crate) fn memory_before(device: &Device) -> Option<u64> {
    if let Some(usage) = device.memory_pool_usage() {
        return Some(usage.bytes_reserved);
    }
    // 5 resets the peak (proc(5)). Where it cannot be reset, a former peak hides what lies below it.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    resident_bytes()
}

fn of_status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
