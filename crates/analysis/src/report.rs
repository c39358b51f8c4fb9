//! The page.

use kiln_trainer::record::{EpochRecord, Evaluation};

use crate::html::{escape, put};
use crate::page::page;
use crate::{class_table, confusion, curves, epoch_table, format, pairs, summary};

/// How many confusions the page lists.
const PAIRS: usize = 15;

/// What the report of one run is made from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// Name of the run.
    pub name: &'a str,
    /// Its epochs, in order.
    pub records: &'a [EpochRecord],
    /// How its checkpoint did on the validation set, if that was measured.
    pub evaluation: Option<&'a Evaluation>,
    /// The resolved configuration as TOML.
    pub config: &'a str,
}

impl Report<'_> {
    /// The report as one HTML file.
    ///
    /// It has no script and loads nothing, so it can be mailed, archived and opened from a disk.
    pub fn to_html(&self) -> String {
        let name = escape(self.name);
        let mut out = String::new();
        self.header(&name, &mut out);
        self.curves(&mut out);
        if let Some(evaluation) = self.evaluation {
            classes(evaluation, &mut out);
        }
        put!(
            out,
            "<section><h2>Epochs</h2><div class=\"card\">{}</div></section>\n",
            epoch_table::table(self.records, self.best())
        );
        if !self.config.trim().is_empty() {
            put!(
                out,
                "<section><details class=\"card\"><summary>Configuration</summary><pre>{}</pre></details></section>\n",
                escape(self.config.trim_end())
            );
        }
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
            tiles.push(("Best val top-1", format::percent(best.val_top1), epoch.clone()));
            tiles.push(("Val top-5", format::percent(best.val_top5), epoch));
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
             <div class=\"card full\"><h3>Learning rate <small>at the end of each epoch</small></h3>{}</div></div></section>\n",
            curves::loss(self.records),
            curves::accuracy(self.records, self.best()),
            curves::learning_rate(self.records)
        );
    }
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
            };
            let html = report.to_html();
            assert!(!html.contains("<script"), "{classes}");
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
        let report = Report { name: "new", records: &[], evaluation: None, config: "" };
        let html = report.to_html();
        assert!(html.contains("No epoch has been finished yet."));
        assert!(!html.contains("<svg") && !html.contains("Configuration"));
    }
}
