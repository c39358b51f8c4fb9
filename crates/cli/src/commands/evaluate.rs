//! `kiln evaluate`.

use crate::arguments::EvaluateArguments;
use crate::commands::train::without_handler;
use crate::output::say;
use crate::reporter::Reporter;
use kiln_trainer::{StopRequest, evaluate_run};
use std::process::ExitCode;

pub(crate) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<ExitCode> {
    let machine = &arguments.machine;
    let settings = without_handler(machine, StopRequest::default())?;
    let mut reporter = Reporter::new(machine.quiet || arguments.json);
    let scores = evaluate_run(&arguments.run, arguments.data.as_deref(), &settings, &mut reporter);
    reporter.finish();
    let (scores, _) = scores?;
    if arguments.json {
        let summary = serde_json::json!({
            "checkpoint": scores.checkpoint,
            "samples": scores.samples,
            "loss": scores.loss,
            "top1": scores.top1,
            "top5": scores.top5,
            "bad_images": scores.bad_images,
        });
        say(summary);
    } else {
        say(format!(
            "{}: top-1 {:.1} %, top-5 {:.1} %, loss {:.4} on {} pictures",
            scores.checkpoint,
            100.0 * scores.top1,
            100.0 * scores.top5,
            scores.loss,
            scores.samples
        ));
    }
    Ok(ExitCode::SUCCESS)
}
