//! The memory of NVIDIA's GPUs, which Burn does not tell: from `nvidia-smi`, which comes with the driver.

use std::process::Command;

/// Bytes of memory of the GPU at a PCI address such as `0000:07:00.0`.
#[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only CUDA devices have an address"))]
pub(super) fn memory_bytes(address: &str) -> Option<u64> {
    let query = ["--query-gpu=pci.bus_id,memory.total", "--format=csv,noheader,nounits"];
    let output = Command::new("nvidia-smi").args(query).output().ok()?;
    of_listing(&String::from_utf8(output.stdout).ok()?, address)
}

/// The same from what `nvidia-smi` prints: an address with a domain of eight digits and MiB, line by line.
fn of_listing(listing: &str, address: &str) -> Option<u64> {
    listing.lines().find_map(|line| {
        let (found, mebibytes) = line.split_once(',')?;
        let is_it = found.trim().to_ascii_lowercase().ends_with(&address.to_ascii_lowercase());
        is_it.then(|| Some(mebibytes.trim().parse::<u64>().ok()? << 20))?
    })
}

#[cfg(test)]
mod tests {
    use super::of_listing;

    #[test]
    fn memory_is_found_by_address() {
        let listing = "00000000:07:00.0, 81559\n00000000:0F:00.0, 40960\n";
        assert_eq!(of_listing(listing, "0000:0f:00.0"), Some(40960 << 20));
        assert_eq!(of_listing(listing, "0000:07:00.0"), Some(81559 << 20));
        assert_eq!(of_listing(listing, "0000:08:00.0"), None);
        assert_eq!(of_listing("no devices were found", "0000:07:00.0"), None);
    }
}
