//! How many pictures per second each op augments on one core, beside albumentations, torchvision and Pillow.
//!
//! ```sh
//! cargo xtask bench augment --data photos --peers --python venv/bin/python
//! cargo run -p kiln-augment --example throughput -- --data photos --only "horizontal flip"
//! ```
//!
//! Rows, with what Kiln applies, stand in `tests/peers/augment.toml`; what the peers apply under the same name, in
//! `tests/peers/augment.py`. Everybody augments the same decoded pictures, in turns, one thread each. The table is
//! printed as Markdown.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod arguments;
mod measure;
mod peers;
mod table;

use arguments::Arguments;
use measure::Kiln;
use peers::Peers;
use std::process::ExitCode;
use table::{Comparison, Table};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let table = Table::read(&arguments.only)?;
    let paths = arguments.pictures()?;
    let kiln = Kiln::decode(&paths)?;
    let mut peers = match &arguments.python {
        Some(python) => Some(Peers::start(python, &paths)?),
        None => None,
    };
    println!("{} pictures of {}, one thread", paths.len(), arguments.data.display());
    Comparison::print_head(peers.is_some());
    let mut ratios = Vec::new();
    for row in &table.row {
        let mut comparison = Comparison::default();
        for _ in 0..arguments.rounds {
            if let Some(peers) = &mut peers {
                comparison.add_peers(&peers.measure(&row.name)?);
            }
            comparison.add_kiln(kiln.measure(row)?);
        }
        comparison.print(&row.name, peers.is_some());
        ratios.extend(comparison.ratio());
    }
    Comparison::print_sum(&ratios);
    Ok(())
}
