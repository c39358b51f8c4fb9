//! From `--device` to the cargo feature that brings its backend.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail};

use crate::nearest::nearest;

/// The devices of kiln, and the feature of kiln-cli that each one needs.
const DEVICES: [(&str, Option<&str>); 5] = [
    ("flex", None),
    ("wgpu", Some("wgpu")),
    ("vulkan", Some("vulkan")),
    ("metal", Some("metal")),
    ("cuda", Some("cuda")),
];

/// The feature to build kiln with; kiln reads the same flag again and checks it in full.
///
/// A misspelt device is refused here, before minutes of compiling.
pub(crate) fn feature(flags: &[OsString]) -> Result<Option<&'static str>> {
    let Some(device) = last_device(flags) else { return Ok(None) };
    // What comes after a colon is which of them.
    let backend = device.split(':').next().unwrap_or_default();
    if backend == "auto" {
        return Ok(likely());
    }
    if let Some((_, feature)) = DEVICES.iter().find(|(known, _)| *known == backend) {
        return Ok(*feature);
    }
    let known = DEVICES.map(|(known, _)| known);
    let hint = nearest(backend, known)
        .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    bail!("unknown device `{device}`{hint}\n  devices: {}, auto", known.join(", "))
}

/// The feature of the GPU that this machine seems to have: Apple's, one with NVIDIA's driver, or any that Linux shows.
fn likely() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        Some("metal")
    } else if Path::new("/proc/driver/nvidia/version").exists() {
        Some("cuda")
    } else if Path::new("/dev/dri").exists() {
        Some("vulkan")
    } else {
        None
    }
}

/// The value of the last `--device VALUE` or `--device=VALUE`.
fn last_device(flags: &[OsString]) -> Option<String> {
    let mut device = None;
    let mut flags = flags.iter().map(|flag| flag.to_string_lossy());
    while let Some(flag) = flags.next() {
        if flag == "--device" {
            device = flags.next().map(Cow::into_owned).or(device);
        } else if let Some(value) = flag.strip_prefix("--device=") {
            device = Some(value.to_owned());
        }
    }
    device
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::feature;

    fn check(flags: &str, expect: Option<&str>) {
        let flags: Vec<OsString> = flags.split_whitespace().map(OsString::from).collect();
        assert_eq!(feature(&flags).unwrap(), expect, "{flags:?}");
    }

    #[test]
    fn devices_choose_features() {
        check("", None);
        check("--data photos", None);
        check("--device flex", None);
        check("--device wgpu --data photos", Some("wgpu"));
        check("--data photos --device=vulkan", Some("vulkan"));
        check("--device metal", Some("metal"));
        check("--device cuda --device flex", None);
        check("--device", None);
        check("--device wgpu:cpu:0", Some("wgpu"));
        check("--device cuda:1", Some("cuda"));
    }

    #[test]
    fn an_unknown_device_is_refused_with_the_nearest() {
        let flags = [OsString::from("--device=wpgu")];
        let message = feature(&flags).unwrap_err().to_string();
        assert!(message.contains("unknown device `wpgu`, did you mean `wgpu`?"), "{message}");
        assert!(message.contains("flex, wgpu, vulkan, metal, cuda, auto"), "{message}");
    }
}
