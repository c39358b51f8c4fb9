//! `kiln evaluate`.

use crate::arguments::EvaluateArguments;
use crate::commands::train::without_handler;
use crate::exit::Usage;
use crate::output::say;
use crate::reporter::Reporter;
use anyhow::Context as _;
use kiln_analysis::metrics::{ScoreCard, Scored, Temperature, ensemble};
use kiln_trainer::{
    Outputs, RunDirectory, RunSettings, StopRequest, evaluate_run, outputs_of_views,
};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::ExitCode;

/// What a run predicts.
struct Member {
    name: String,
    outputs: Outputs,
    scored: Scored,
    /// What its own evaluation adds to the scores.
    about: Map<String, Value>,
}

pub(crate) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<ExitCode> {
    let machine = &arguments.machine;
    if arguments.together.ensemble && arguments.runs.len() < 2 {
        return Err(Usage("--ensemble needs at least two runs".to_owned()).into());
    }
    let settings = without_handler(machine, StopRequest::default())?;
    let mut members: Vec<Member> = Vec::new();
    for run in &arguments.runs {
        let mut reporter = Reporter::new(machine.quiet || arguments.json);
        let member = member(run, arguments, &settings, &mut reporter);
        reporter.finish();
        let member = member?;
        if let Some(first) = members.first().filter(|_| arguments.together.ensemble) {
            check_same(first, &member)?;
        }
        members.push(member);
    }
    let mut rows: Vec<(String, Map<String, Value>, ScoreCard)> = Vec::new();
    for Member { name, scored, about, .. } in &members {
        let card = ScoreCard::of(scored).with_context(|| format!("{name}: no picture"))?;
        rows.push((name.clone(), about.clone(), card));
    }
    if arguments.together.ensemble {
        let weights = rows
            .iter()
            .map(|(.., card)| if arguments.together.by_accuracy { card.top1 } else { 1.0 });
        let all: Vec<(Scored, f64)> =
            members.iter().map(|member| member.scored.clone()).zip(weights).collect();
        let together = ensemble(&all, arguments.together.mean.into());
        let card = together.as_ref().and_then(ScoreCard::of).context("nothing to average")?;
        let runs: Vec<&String> = members.iter().map(|member| &member.name).collect();
        let about = Map::from_iter([("ensemble".to_owned(), json!(runs))]);
        rows.push((format!("ensemble of {}", members.len()), about, card));
    }
    if arguments.json {
        let mut objects = Vec::new();
        for (_, mut about, card) in rows {
            about.insert("scores".to_owned(), serde_json::to_value(card)?);
            objects.push(Value::Object(about));
        }
        let alone = objects.len() == 1;
        let value = if alone { objects.remove(0) } else { Value::Array(objects) };
        say(serde_json::to_string(&value)?);
    } else {
        for (name, _, card) in rows {
            say(lines(&name, &card));
        }
    }
    if arguments.fit_temperature {
        for (member, run) in members.iter().zip(&arguments.runs) {
            fit_temperature(member, run, arguments.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The predictions of a run's best checkpoint, in all views that are asked for.
fn member(
    run: &Path,
    arguments: &EvaluateArguments,
    settings: &RunSettings,
    reporter: &mut Reporter,
) -> anyhow::Result<Member> {
    let name = run.display().to_string();
    let data = arguments.data.as_deref();
    let views = arguments.views();
    let (directory, _) = RunDirectory::open(run)?;
    let scored = |outputs: &Outputs| -> Result<Scored, kiln_trainer::Error> {
        Ok(Scored::of(outputs, directory.temperature(&outputs.checkpoint)?))
    };
    if views.len() == 1 {
        let (evaluation, outputs) = evaluate_run(run, data, settings, reporter)?;
        let about = json!({
            "run": name,
            "checkpoint": evaluation.checkpoint,
            "averaged": evaluation.averaged,
            "samples": evaluation.samples,
            "loss": evaluation.loss,
            "top1": evaluation.top1,
            "top5": evaluation.top5,
            "bad_images": evaluation.bad_images,
        });
        let about = about.as_object().cloned().unwrap_or_default();
        return Ok(Member { name, scored: scored(&outputs)?, outputs, about });
    }
    let mut all = outputs_of_views(run, data, &views, settings, reporter)?;
    let mut looks: Vec<(Scored, f64)> = Vec::new();
    for outputs in &all {
        looks.push((scored(outputs)?, 1.0));
    }
    let scored = ensemble(&looks, arguments.together.mean.into()).context("no view")?;
    let outputs = all.swap_remove(0);
    let about = json!({ "run": name, "checkpoint": outputs.checkpoint, "views": views.len() });
    let about = about.as_object().cloned().unwrap_or_default();
    Ok(Member { name, outputs, scored, about })
}

/// Whether two runs were asked the same questions.
fn check_same(first: &Member, other: &Member) -> Result<(), Usage> {
    let differ =
        |what: &str| Err(Usage(format!("{} has other {what} than {}", other.name, first.name)));
    if first.outputs.class_names != other.outputs.class_names {
        return differ("classes");
    }
    if first.outputs.pictures != other.outputs.pictures
        || first.outputs.labels != other.outputs.labels
    {
        return differ("validation pictures");
    }
    Ok(())
}

fn fit_temperature(member: &Member, run: &Path, quiet: bool) -> anyhow::Result<()> {
    let (directory, _) = RunDirectory::open(run)?;
    let outputs = &member.outputs;
    let Some(found) = Temperature::fit(outputs.classes(), &outputs.logits, &outputs.labels) else {
        anyhow::bail!(
            "{}: no temperature is best: every picture is right, or none is",
            member.name
        );
    };
    let Temperature { temperature, error_before, error_after } = found;
    let helps = error_after < error_before;
    if helps {
        directory.write_temperature(&outputs.checkpoint, temperature)?;
    }
    if !quiet {
        say(format!(
            "{}: temperature {temperature:.3}; on every second picture, fitted to the others, the calibration error goes from \
             {:.1} to {:.1} %: {}",
            member.name,
            100.0 * error_before,
            100.0 * error_after,
            if helps { "kept" } else { "no help, not kept" },
        ));
    }
    Ok(())
}

fn lines(name: &str, card: &ScoreCard) -> String {
    let percent = |part: f64| format!("{:.1} %", 100.0 * part);
    let or_none =
        |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.3}"));
    format!(
        "{name}: top-1 {}, top-5 {} of {} pictures\n  \
         macro F1 {:.3}, balanced accuracy {}, kappa {}, Matthews {:.3}\n  \
         AUROC {}, average precision {}, negative log-likelihood {:.4}, calibration error {}, Brier {:.3}",
        percent(card.top1),
        percent(card.top5),
        card.samples,
        card.macro_average.f1,
        percent(card.balanced_accuracy),
        or_none(card.cohen_kappa),
        card.matthews,
        or_none(card.macro_roc_auc),
        or_none(card.macro_average_precision),
        card.negative_log_likelihood,
        percent(card.calibration_error),
        card.brier,
    )
}
