//! The table of all epochs.

use kiln_trainer::record::EpochRecord;

use crate::format;
use crate::html::{escape, put};
use crate::summary::stages;

/// With more epochs than this the table scrolls in a box of its own.
const UNBOXED: usize = 30;

/// Every epoch, the best one marked.
pub(crate) fn table(records: &[EpochRecord], best: Option<usize>) -> String {
    if records.is_empty() {
        return "<p class=\"note\">No epoch has been finished yet.</p>".to_owned();
    }
    let several = stages(records).len() > 1;
    // Columns that would be the same in every row are left out.
    let memory = records.iter().any(|record| record.device_memory_bytes.is_some());
    let average = records.iter().any(|record| record.average.is_some());
    let bad = records.iter().any(|record| record.bad_images > 0);

    let class = if records.len() > UNBOXED { "scroll" } else { "across" };
    let mut out = format!("<div class=\"{class}\"><table class=\"wide\"><thead><tr>");
    if several {
        out.push_str("<th>Stage</th>");
    }
    let mut columns = vec![
        "Epoch",
        "Step",
        "Train loss",
        "Val loss",
        "Train top-1",
        "Val top-1",
        "Val top-5",
        "Learning rate",
        "Images/s",
        "Time",
    ];
    columns
        .extend(average.then_some(["Average val loss", "Average val top-1"]).into_iter().flatten());
    columns.extend(memory.then_some("Memory"));
    columns.extend(bad.then_some("Bad images"));
    for column in columns {
        put!(out, "<th class=\"n\">{column}</th>");
    }
    out.push_str("</tr></thead><tbody>");

    let mut stage = "";
    for (index, record) in records.iter().enumerate() {
        let begins = several && index > 0 && stage != record.stage;
        let class = match (begins, best == Some(index)) {
            (true, true) => " class=\"begins best\"",
            (true, false) => " class=\"begins\"",
            (false, true) => " class=\"best\"",
            (false, false) => "",
        };
        put!(out, "<tr{class}>");
        if several {
            put!(out, "<td class=\"name\">{}</td>", escape(&record.stage));
        }
        stage = &record.stage;
        let mut cells = vec![
            format::count(record.epoch),
            format::count(record.step),
            format::loss(record.train_loss),
            format::loss(record.val_loss),
            format::percent(record.train_top1),
            format::percent(record.val_top1),
            format::percent(record.val_top5),
            format::rate(record.lr),
            format::throughput(record.images_per_second),
            format::duration(record.seconds),
        ];
        cells.extend(average.then(|| average_cells(record)).into_iter().flatten());
        let bytes = record.device_memory_bytes;
        cells.extend(memory.then(|| bytes.map_or_else(|| format::NONE.to_owned(), format::bytes)));
        cells.extend(bad.then(|| format::count(record.bad_images)));
        for cell in cells {
            put!(out, "<td class=\"n\">{cell}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if best.is_some() && records.len() > 1 {
        out.push_str(
            "<p class=\"note\">The shaded row is the epoch with the best validation top-1.</p>",
        );
    }
    out
}

/// Loss and top-1 of the average of weights, in epochs that have one.
fn average_cells(record: &EpochRecord) -> [String; 2] {
    match &record.average {
        Some(average) => [format::loss(average.val_loss), format::percent(average.val_top1)],
        None => [format::NONE, format::NONE].map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::summary::best;
    use crate::summary::record;
    use kiln_trainer::record::AverageScores;

    #[test]
    fn only_columns_that_say_something() {
        let mut records = vec![record("a", 1, 0.5, 0.5), record("a", 2, f64::NAN, 0.6)];
        let html = table(&records, best(&records));
        assert!(
            !html.contains("Memory") && !html.contains("Bad images") && !html.contains("Stage")
        );
        assert!(html.contains("NaN"));
        assert_eq!(html.matches("class=\"best\"").count(), 1);

        records[1].stage = "<b>".to_owned();
        records[1].device_memory_bytes = Some(1 << 30);
        records[1].bad_images = 2;
        let average =
            AverageScores { val_loss: 0.5, val_top1: 0.625, val_top5: 0.9, val_macro_f1: 0.6 };
        records[1].average = Some(average);
        let html = table(&records, best(&records));
        assert!(html.contains("Memory") && html.contains("Bad images") && html.contains("Stage"));
        assert!(html.contains("Average val top-1") && html.contains("62.5%"));
        assert!(html.contains("&lt;b&gt;") && html.contains("begins best"));
    }

    #[test]
    fn no_epochs() {
        assert!(table(&[], None).contains("No epoch"));
    }
}
