//! What is compared, and how the comparison is printed.

use crate::peers::Seconds;
use kiln_augment::OpSpec;
use serde::Deserialize;

/// The rows of `tests/peers/augment.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) row: Vec<Row>,
}

/// One comparison: what Kiln applies; the peers' script knows what its side does under this name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) pipeline: Vec<OpSpec>,
}

impl Table {
    /// All rows, or those named in `only`.
    pub(crate) fn read(only: &[String]) -> Result<Self, String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/augment.toml");
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let mut table: Self = toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        if let Some(name) = only.iter().find(|name| table.row.iter().all(|row| row.name != **name))
        {
            return Err(format!("no row `{name}` in {path}"));
        }
        table.row.retain(|row| only.is_empty() || only.contains(&row.name));
        Ok(table)
    }
}

/// Seconds of all rounds: Kiln, albumentations, torchvision, Pillow.
#[derive(Default)]
pub(crate) struct Comparison {
    kiln: Vec<f64>,
    peers: [Vec<f64>; 3],
}

impl Comparison {
    pub(crate) fn add_kiln(&mut self, seconds: f64) {
        self.kiln.push(seconds);
    }

    pub(crate) fn add_peers(&mut self, seconds: &Seconds) {
        let each = [seconds.albumentations, seconds.torchvision, seconds.pillow];
        for (rounds, seconds) in self.peers.iter_mut().zip(each) {
            rounds.extend(seconds);
        }
    }

    /// How many times as fast as the fastest peer Kiln is, by the medians.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let best = self.peers.iter().filter_map(|rounds| median(rounds)).reduce(f64::min)?;
        Some(best / median(&self.kiln)?)
    }

    pub(crate) fn print_head(with_peers: bool) {
        if with_peers {
            println!(
                "| images/s | Kiln | albumentations | torchvision | Pillow | Kiln / best peer |"
            );
            println!("|---|---|---|---|---|---|");
        } else {
            println!("| images/s | Kiln |\n|---|---|");
        }
    }

    pub(crate) fn print(&self, name: &str, with_peers: bool) {
        let rate = |rounds: &Vec<f64>| {
            median(rounds).map_or(String::new(), |seconds| format!("{:.0}", 1.0 / seconds))
        };
        if with_peers {
            let peers: Vec<String> = self.peers.iter().map(rate).collect();
            let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
            println!("| {name} | {} | {} | {ratio} |", rate(&self.kiln), peers.join(" | "));
        } else {
            println!("| {name} | {} |", rate(&self.kiln));
        }
    }

    /// What all ratios together say.
    pub(crate) fn print_sum(ratios: &[f64]) {
        if ratios.is_empty() {
            return;
        }
        let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
        let below = ratios.iter().filter(|ratio| **ratio < 1.0).count();
        println!(
            "geometric mean of {} ratios: {:.2}; below 1.0: {below}",
            ratios.len(),
            mean.exp()
        );
    }
}

/// The middle of the rounds.
fn median(rounds: &[f64]) -> Option<f64> {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
