//! `kiln devices`.

use crate::arguments::DevicesArguments;
use crate::device::{Backend, DeviceChoice, DeviceProperties, FoundDevice, found};
use crate::output::say;
use serde::Serialize;
use std::process::ExitCode;

/// What `--json` prints.
#[derive(Serialize)]
struct Listed {
    devices: Vec<DeviceProperties>,
    /// What `--device auto` takes.
    auto: String,
    /// Backends of Kiln that this build does not have, by their cargo features.
    not_built: Vec<&'static str>,
}

pub(crate) fn devices(arguments: &DevicesArguments) -> anyhow::Result<ExitCode> {
    let found = found();
    let devices: Vec<DeviceProperties> = found.iter().map(FoundDevice::properties).collect();
    let auto = DeviceChoice::Auto.resolved().to_string();
    let missing = Backend::ALL.into_iter().filter(|backend| !backend.is_built());
    let not_built: Vec<&str> = missing.map(Backend::name).collect();
    if arguments.json {
        say(serde_json::to_string_pretty(&Listed { devices, auto, not_built })?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = devices.iter().map(|device| {
        let memory = device.memory_bytes.map_or_else(
            || "-".to_owned(),
            |bytes| format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64),
        );
        [device.device.clone(), memory, device.dtypes.join(" "), device.name.clone()]
    });
    let head = ["--device", "memory", "computes in", "name"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for [device, memory, dtypes, name] in &rows {
        let [a, b, c] = widths;
        say(format_args!("{device:a$}  {memory:>b$}  {dtypes:c$}  {name}"));
    }
    say(format_args!("\n`--device auto` takes {auto}"));
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_built()) {
        if !found.iter().any(|device| device.backend == backend) {
            say(format_args!("{}: in this build, but no driver shows a device", backend.name()));
        }
    }
    if !not_built.is_empty() {
        say(format_args!(
            "not in this build: {}; cargo build -p kiln-cli --features NAME",
            not_built.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}
