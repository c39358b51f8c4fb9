//! The page.

use crate::cam::CamMethod;
use crate::cam_page::{ExplainedPicture, figure};
use crate::diagnosis::{Chance, Finding, diagnose};
use crate::html::{escape, put};
use crate::lr_suggestion::{LrSuggestions, range_chart};
use crate::metrics::{ScoreCard, Scored};
use crate::page::page;
use crate::picture::img;
use crate::summary::capitalised;
use crate::{
    calibration_section, class_table, confusion, curves, epoch_table, format, pairs, summary,
};
use kiln_augment::Image8;
use kiln_trainer::record::{EpochRecord, Evaluation};
use kiln_trainer::{Outputs, RangeRecord};

/// How many confusions the page lists.
const PAIRS: usize = 15;

/// What the report of one run is made from. Everything but the name may be missing; its part of the page is then left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report<'a> {
    /// Name of the run.
    pub name: &'a str,
    /// Its epochs, in order.
    pub records: &'a [EpochRecord],
    /// How its checkpoint did on the validation set.
    pub evaluation: Option<&'a Evaluation>,
    /// The logits behind that.
    pub outputs: Option<&'a Outputs>,
    /// What they are divided by, where a temperature was fitted.
    pub temperature: Option<f64>,
    /// What was trained where, in a line.
    pub setup: &'a str,
    /// What the network sees in pictures.
    pub explained: Option<&'a Explained>,
    /// A test of learning rates.
    pub range: Option<&'a RangeRecord>,
    /// The first training pictures of each stage as the network gets them, by the stage's name.
    pub sheets: &'a [(String, Image8)],
    /// The resolved configuration as TOML.
    pub config: &'a str,
    /// Where it ran, as JSON.
    pub environment: &'a str,
    /// Files of the run beside the page, and what they are.
    pub files: &'a [(&'a str, &'a str)],
    /// Parts that could not be made, and why.
    pub missing: &'a [String],
}

/// Explained pictures of the validation set.
#[derive(Debug)]
pub struct Explained {
    /// How the maps were made.
    pub method: CamMethod,
    /// Of which stage of the network.
    pub stage: String,
    /// Recognised with the highest probability.
    pub best: Vec<ExplainedPicture>,
    /// Mistaken with the highest probability.
    pub worst: Vec<ExplainedPicture>,
}

impl Report<'_> {
    /// The report as one HTML file.
    ///
    /// It loads nothing, so it can be mailed, archived and opened from a disk; its one script sorts tables.
    pub fn to_html(&self) -> String {
        let name = escape(self.name);
        let mut out = String::new();
        self.header(&name, &mut out);
        self.missing(&mut out);
        self.diagnosis(&mut out);
        self.curves(&mut out);
        if let Some(evaluation) = self.evaluation {
            classes(evaluation, &mut out);
        }
        if let Some(outputs) = self.outputs {
            let scored = Scored::of(outputs, self.temperature);
            if let Some(card) = ScoreCard::of(&scored) {
                out.push_str(&calibration_section::section(&scored, &card, self.temperature));
            }
        }
        if let Some(explained) = self.explained {
            pictures(explained, &mut out);
        }
        self.preparation(&mut out);
        put!(
            out,
            "<section><h2>Epochs</h2><div class=\"card\">{}</div></section>\n",
            epoch_table::table(self.records, self.best())
        );
        self.files(&mut out);
        page(&format!("{}: training report", self.name), &out)
    }

    /// Index of the epoch whose checkpoint was evaluated; before that, of the one with the highest top-1.
    fn best(&self) -> Option<usize> {
        let evaluated = self.evaluation.and_then(|evaluation| {
            self.records.iter().position(|record| record.step == evaluation.step)
        });
        evaluated.or_else(|| summary::best(self.records))
    }

    fn header(&self, name: &str, out: &mut String) {
        put!(
            out,
            "<header><p class=\"eyebrow\">Training report</p><h1>{name}</h1><p class=\"status\">{}</p>",
            escape(&summary::status(self.records, self.best()))
        );
        if !self.setup.is_empty() {
            put!(out, "<p class=\"status\">{}</p>", escape(self.setup));
        }
        out.push_str("<dl>");
        for (label, value, detail) in self.tiles() {
            put!(
                out,
                "<div><dt>{label}</dt><dd>{value}</dd><dd class=\"detail\">{}</dd></div>",
                escape(&detail)
            );
        }
        out.push_str("</dl></header>\n");
    }

    /// The numbers that people look for first.
    fn tiles(&self) -> Vec<(&'static str, String, String)> {
        let stages = summary::stages(self.records);
        let mut tiles = Vec::new();
        let best = self.best();
        if let Some(best) = best.map(|best| &self.records[best]) {
            let epoch = summary::epoch_name(best, &stages);
            let shown = summary::better(best);
            let of = if shown.is_average { format!("{epoch}, average of weights") } else { epoch };
            tiles.push(("Best val top-1", format::percent(shown.top1), of.clone()));
            tiles.push(("Val top-5", format::percent(shown.top5), of));
        }
        if let Some(last) = self.records.last() {
            if best.is_none_or(|best| best + 1 < self.records.len()) {
                let epoch = summary::epoch_name(last, &stages);
                tiles.push(("Last val top-1", format::percent(last.val_top1), epoch));
            }
            let train = format!("train {}", format::loss(last.train_loss));
            tiles.push(("Last val loss", format::loss(last.val_loss), train));
            let time: f64 = self.records.iter().map(|record| record.seconds).sum();
            let speed =
                format!("{} images/s at the end", format::throughput(last.images_per_second));
            tiles.push(("Training time", format::duration(time), speed));
        }
        let memory = self.records.iter().filter_map(|record| record.device_memory_bytes).max();
        tiles.extend(memory.map(|peak| {
            (
                "Peak memory",
                format::bytes(peak),
                "of the device, or of the process on a CPU".to_owned(),
            )
        }));
        tiles
    }

    fn curves(&self, out: &mut String) {
        if self.records.is_empty() {
            return;
        }
        out.push_str("<section><h2>Training</h2>");
        if let Some(gap) = summary::gap(self.records) {
            put!(out, "<p class=\"lead\">{}</p>", escape(&gap));
        }
        put!(
            out,
            "<div class=\"grid\"><div class=\"card\"><h3>Loss</h3>{}</div>\
             <div class=\"card\"><h3>Accuracy <small>ring: best epoch</small></h3>{}</div>\
             <div class=\"card full\"><h3>Learning rate <small>at the end of each epoch</small></h3>{}</div>\
             <div class=\"card\"><h3>Gap <small>train top-1 less val top-1, in points</small></h3>{}</div>\
             <div class=\"card\"><h3>Throughput <small>training images per second</small></h3>{}</div>",
            curves::loss(self.records),
            curves::accuracy(self.records, self.best()),
            curves::learning_rate(self.records),
            curves::gap(self.records),
            curves::throughput(self.records)
        );
        if let Some(memory) = curves::memory(self.records) {
            put!(out, "<div class=\"card full\"><h3>Memory <small>GiB</small></h3>{memory}</div>");
        }
        out.push_str("</div></section>\n");
    }
}

impl Report<'_> {
    fn missing(&self, out: &mut String) {
        if self.missing.is_empty() {
            return;
        }
        out.push_str("<section class=\"card below\"><h3>Left out</h3><ul>");
        for line in self.missing {
            put!(out, "<li>{}</li>", escape(line));
        }
        out.push_str("</ul></section>\n");
    }

    fn diagnosis(&self, out: &mut String) {
        let chance = self.evaluation.map(|evaluation| {
            let largest = evaluation.confusion.iter().map(|row| row.iter().sum::<u64>()).max();
            let samples = evaluation.samples.max(1);
            Chance { accuracy: largest.unwrap_or(0) as f64 / samples as f64, samples }
        });
        if self.records.is_empty() {
            return;
        }
        out.push_str("<section><h2>Diagnosis</h2>");
        let findings = diagnose(self.records, chance);
        if findings.is_empty() {
            out.push_str(
                "<p class=\"lead\">No rule fired: nothing in the curves asks for a change.</p>",
            );
        }
        for Finding { rule, advice } in findings {
            let (name, numbers) = rule.split_once(':').unwrap_or((rule.as_str(), ""));
            put!(
                out,
                "<div class=\"card finding\"><p><b>{}</b>{}</p><p class=\"note\">{}</p></div>",
                escape(&capitalised(name)),
                if numbers.is_empty() { String::new() } else { format!(":{}.", escape(numbers)) },
                escape(advice)
            );
        }
        out.push_str("</section>\n");
    }

    /// The test of rates and the training pictures.
    fn preparation(&self, out: &mut String) {
        if let Some(range) = self.range {
            let suggestions = LrSuggestions::of(range);
            put!(
                out,
                "<section><h2>Learning rates</h2><div class=\"card\"><h3>Loss in a range test of stage {}</h3><div class=\"narrow\">{}</div></div></section>\n",
                escape(&range.stage),
                range_chart(range, &suggestions)
            );
        }
        if self.sheets.is_empty() {
            return;
        }
        out.push_str("<section><h2>Training pictures</h2><p class=\"lead\">The first of each stage, augmented and mixed as the network gets them.</p>");
        for (stage, sheet) in self.sheets {
            put!(
                out,
                "<div class=\"card below sheet\"><h3>Stage {}</h3>{}</div>",
                escape(stage),
                img(sheet, &format!("first training pictures of stage {stage}"))
            );
        }
        out.push_str("</section>\n");
    }

    fn files(&self, out: &mut String) {
        for (title, text) in [("Configuration", self.config), ("Environment", self.environment)] {
            if !text.trim().is_empty() {
                put!(
                    out,
                    "<section><details class=\"card\"><summary>{title}</summary><pre>{}</pre></details></section>\n",
                    escape(text.trim_end())
                );
            }
        }
        if self.files.is_empty() {
            return;
        }
        out.push_str("<section><h2>Files</h2><div class=\"card\"><table><tbody>");
        for (file, what) in self.files {
            let file = escape(file);
            put!(out, "<tr><td><a href=\"{file}\">{file}</a></td><td>{}</td></tr>", escape(what));
        }
        out.push_str("</tbody></table></div></section>\n");
    }
}

fn pictures(explained: &Explained, out: &mut String) {
    let Explained { method, stage, best, worst } = explained;
    put!(
        out,
        "<section><h2>Pictures</h2><p class=\"lead\">{} on the maps of <code>{}</code>: bright places speak for the \
         class that the network sees, by the scale from 0 below to 1 above. Trust above 0 says that these places matter more than others.</p>",
        method.name(),
        escape(stage)
    );
    for (title, pictures) in [("Mistaken, surest first", worst), ("Recognised, surest first", best)]
    {
        if pictures.is_empty() {
            continue;
        }
        put!(out, "<h3 class=\"group\">{title}</h3><div class=\"pictures\">");
        for picture in pictures {
            out.push_str(&figure(picture));
        }
        out.push_str("</div>");
    }
    out.push_str("</section>\n");
}

fn classes(evaluation: &Evaluation, out: &mut String) {
    let bad = match evaluation.bad_images {
        0 => String::new(),
        bad => format!(" ({} could not be decoded)", format::count(bad)),
    };
    put!(
        out,
        "<section><h2>Classes</h2><p class=\"lead\">Checkpoint <code>{}</code> on {}{bad}: top-1 {}, top-5 {}, \
         loss {}.</p><div class=\"card\"><h3>Confusion matrix</h3><div class=\"split\">{}\
         <div><h3>Most confused</h3>{}</div></div></div>\
         <div class=\"card below\"><h3>Precision, recall and F1 <small>weakest first</small></h3>{}</div></section>\n",
        escape(&evaluation.checkpoint),
        format::counted(evaluation.samples, "image"),
        format::percent(evaluation.top1),
        format::percent(evaluation.top5),
        format::loss(evaluation.loss),
        confusion::matrix(evaluation),
        pairs::table(evaluation, PAIRS),
        class_table::table(evaluation),
    );
}

#[cfg(test)]
mod tests {
    use kiln_trainer::record::Evaluation;

    use super::Report;
    use crate::scores;
    use crate::summary::record;

    fn evaluation(classes: usize) -> Evaluation {
        Evaluation {
            checkpoint: "<i>".to_owned(),
            step: 0,
            loss: f64::NAN,
            class_names: (0..classes).map(|class| format!("<script>{class}</script>")).collect(),
            confusion: vec![vec![1; classes]; classes],
            bad_images: 2,
            ..scores::evaluation(&[])
        }
    }

    #[test]
    fn the_page_needs_nothing_and_escapes_everything() {
        for classes in [0, 2, 10, 40, 200] {
            let records = [record("<script>", 1, 0.5, 0.5), record("b\"", 1, 0.6, f64::NAN)];
            let evaluation = evaluation(classes);
            let report = Report {
                name: "<script>alert(1)</script>",
                records: &records,
                evaluation: Some(&evaluation),
                config: "seed = 1 # </pre><script>",
                missing: &["<script>".to_owned()],
                ..Report::default()
            };
            let html = report.to_html();
            assert_eq!(html.matches("<script").count(), 1, "{classes}");
            assert!(!html.contains("<i>:") && html.contains("&lt;i&gt;"), "{classes}");
            assert!(html.contains("(2 could not be decoded)"), "{classes}");
            for address in ["http:", "https:", "url(", "@import", "src="] {
                assert!(!html.contains(address), "{classes}: {address}");
            }
            for tag in ["div", "section", "table", "tr", "td", "svg", "g", "details", "p", "figure"]
            {
                let opened = html.matches(&format!("<{tag}>")).count()
                    + html.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{classes}: {tag}");
            }
        }
    }

    #[test]
    fn a_run_without_epochs_has_a_page() {
        let report = Report { name: "new", ..Report::default() };
        let html = report.to_html();
        assert!(html.contains("No epoch has been finished yet."));
        assert!(!html.contains("<svg") && !html.contains("Configuration"));
    }
}
