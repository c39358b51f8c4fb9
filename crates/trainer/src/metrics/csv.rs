//! `metrics.csv`: the epochs as a table for spreadsheets.

use crate::record::EpochRecord;

pub(super) const HEADER: &str = "stage,epoch,step,train_loss,train_top1,val_loss,val_top1,val_top5,val_macro_f1,\
                                 average_val_loss,average_val_top1,average_val_top5,average_val_macro_f1,lr,images_per_second,\
                                 seconds,data_seconds,checkpoint_seconds,device_memory_bytes,host_memory_bytes\n";

/// An epoch's row. What there is none of is empty.
pub(super) fn row(record: &EpochRecord) -> String {
    let or_empty = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let bytes = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    let average = record.average.as_ref();
    let fields = [
        quoted(&record.stage),
        record.epoch.to_string(),
        record.step.to_string(),
        record.train_loss.to_string(),
        record.train_top1.to_string(),
        record.val_loss.to_string(),
        record.val_top1.to_string(),
        record.val_top5.to_string(),
        record.val_macro_f1.to_string(),
        or_empty(average.map(|average| average.val_loss)),
        or_empty(average.map(|average| average.val_top1)),
        or_empty(average.map(|average| average.val_top5)),
        or_empty(average.map(|average| average.val_macro_f1)),
        record.lr.to_string(),
        record.images_per_second.to_string(),
        record.seconds.to_string(),
        record.data_seconds.to_string(),
        record.checkpoint_seconds.to_string(),
        bytes(record.device_memory_bytes),
        bytes(record.host_memory_bytes),
    ];
    fields.join(",") + "\n"
}

/// A name as RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER, quoted};

    #[test]
    fn names_with_commas_are_quoted() {
        assert_eq!(quoted("head"), "head");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert!(HEADER.ends_with("host_memory_bytes\n") && !HEADER.contains(' '));
    }
}
