//! `kiln average`.

use crate::arguments::AverageArguments;
use crate::commands::train::without_handler;
use crate::output::{say, write_file};
use crate::reporter::Reporter;
use kiln_models::Layout;
use kiln_trainer::{SoupKind, StopRequest, average as make, weights_bytes};
use std::process::ExitCode;

pub(crate) fn average(arguments: &AverageArguments) -> anyhow::Result<ExitCode> {
    let AverageArguments { inputs, greedy, data, output, machine } = arguments;
    let settings = without_handler(machine, StopRequest::default())?;
    let mut reporter = Reporter::new(machine.quiet);
    let kind = if *greedy { SoupKind::Greedy } else { SoupKind::Uniform };
    let soup = make(inputs, kind, data.as_deref(), &settings, &mut reporter);
    reporter.finish();
    let soup = soup?;
    let bytes = weights_bytes(output, &soup.network, &soup.card, Layout::Torchvision)?;
    write_file(output, &bytes)?;
    if !machine.quiet {
        for ingredient in &soup.ingredients {
            let left_out = if ingredient.taken { "" } else { "  left out" };
            let top1 = 100.0 * ingredient.scores.val_top1;
            say(format!("{top1:>6.2} %  {}{left_out}", ingredient.path.display()));
        }
        let (top1, loss) = (100.0 * soup.scores.val_top1, soup.scores.val_loss);
        say(format!("{top1:>6.2} %  the average, loss {loss:.4}"));
    }
    say(output.display());
    Ok(ExitCode::SUCCESS)
}
