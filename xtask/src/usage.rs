//! What `cargo xtask` prints without arguments.

use std::fmt::Write;

use anyhow::Result;

use crate::experiments;
use crate::workspace::Workspace;

/// The commands that are not experiments; no experiment may take their names.
pub(crate) const COMMANDS: [(&str, &str); 8] = [
    ("test", "everything that must pass: tidy, fmt, clippy, tests with doctests, docs"),
    ("tidy", "the repository's own rules"),
    (
        "smoke",
        "[FLAGS]: every experiment at quick scale; with `--device wgpu`, that device against the CPU",
    ),
    (
        "gpu-check",
        "--device DEVICE [FLAGS]: a device against the CPU, and its speed beside PyTorch's",
    ),
    ("compare", "RUN RUN...: compares runs, or the newest runs of experiments, picture by picture"),
    ("torture", "[--kills N] [--seed N]: kills trainings at random moments; all must end alike"),
    (
        "bench",
        "WHAT [FLAGS]: measures loader, step, loop, frozen, memory, growth, checkpoints, all-reduce, augment",
    ),
    ("help", "this text"),
];

/// The usage text with the list of experiments.
pub(crate) fn text(workspace: &Workspace) -> Result<String> {
    let experiments = experiments::list(workspace)?;
    let widest = experiments.iter().map(|experiment| experiment.name.len()).max();
    let width = widest.unwrap_or(0).max(8);

    let mut text = String::from(
        "usage: cargo xtask EXPERIMENT [FLAGS OF KILN TRAIN]\n       cargo xtask COMMAND\n\n",
    );
    text.push_str("experiments (configs/NAME.toml):\n");
    for experiment in &experiments {
        writeln!(text, "  {:width$}  {}", experiment.name, experiment.purpose)?;
    }
    if experiments.is_empty() {
        text.push_str("  none yet\n");
    }
    text.push_str("\ncommands:\n");
    for (command, purpose) in COMMANDS {
        writeln!(text, "  {command:width$}  {purpose}")?;
    }
    text.push_str(
        "\n`--device flex|wgpu|vulkan|metal|cuda|auto` chooses the backend kiln is built with.\n",
    );
    text.push_str("`cargo xtask EXPERIMENT --help` lists the flags of kiln train.\n");
    Ok(text)
}
