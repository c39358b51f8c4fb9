//! Event files for TensorBoard.
//!
//! An event file is a sequence of records as TensorFlow's `record_writer` frames them: the length, its masked CRC-32C, the
//! bytes, their masked CRC-32C. The bytes are an `Event` of `tensorflow/core/util/event.proto`; the few fields that scalars
//! need are encoded here.

use super::line::Line;

/// The first record of every file.
pub(super) fn header(unix_seconds: f64) -> Vec<u8> {
    let mut event = wall_time(unix_seconds);
    // file_version = 3
    put_bytes(&mut event, 3, b"brain.Event:2");
    record(&event)
}

/// The scalars of a line, at the optimizer step that it ends with.
pub(super) fn events(line: &Line) -> Vec<u8> {
    let (unix_seconds, step) = match line {
        Line::Epoch(record) => (record.unix_seconds, record.step),
        Line::Steps(record) => (record.unix_seconds, record.step),
    };
    let mut summary = Vec::new();
    for (tag, value) in scalars(line) {
        let mut scalar = Vec::new();
        // tag = 1, simple_value = 2
        put_bytes(&mut scalar, 1, tag.as_bytes());
        scalar.push(2 << 3 | 5);
        #[allow(clippy::cast_possible_truncation, reason = "simple_value is a 32-bit float")]
        scalar.extend((value as f32).to_le_bytes());
        // value = 1
        put_bytes(&mut summary, 1, &scalar);
    }
    let mut event = wall_time(unix_seconds);
    // step = 2
    event.push(2 << 3);
    put_varint(&mut event, step);
    // summary = 5
    put_bytes(&mut event, 5, &summary);
    record(&event)
}

fn scalars(line: &Line) -> Vec<(&'static str, f64)> {
    match line {
        Line::Steps(record) => {
            let mut scalars = vec![
                ("steps/lr", record.lr),
                ("steps/images_per_second", record.images_per_second),
                ("steps/data_wait", record.data_seconds / record.seconds),
            ];
            scalars.extend(record.train_loss.map(|loss| ("steps/loss", loss)));
            scalars.extend(record.train_top1.map(|top1| ("steps/top1", top1)));
            scalars
        }
        Line::Epoch(record) => {
            let mut scalars = vec![
                ("loss/train", record.train_loss),
                ("loss/val", record.val_loss),
                ("top1/train", record.train_top1),
                ("top1/val", record.val_top1),
                ("top5/val", record.val_top5),
                ("macro_f1/val", record.val_macro_f1),
                ("epochs/lr", record.lr),
                ("epochs/images_per_second", record.images_per_second),
            ];
            if let Some(average) = record.average {
                scalars.extend([
                    ("loss/average_val", average.val_loss),
                    ("top1/average_val", average.val_top1),
                    ("top5/average_val", average.val_top5),
                    ("macro_f1/average_val", average.val_macro_f1),
                ]);
            }
            scalars
        }
    }
}

/// An event that begins with `wall_time = 1`.
fn wall_time(unix_seconds: f64) -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend(unix_seconds.to_le_bytes());
    event
}

fn put_bytes(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    message.push(field << 3 | 2);
    put_varint(message, bytes.len() as u64);
    message.extend(bytes);
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    message.push(value.to_le_bytes()[0]);
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), event, &masked_crc(event)].concat()
}

/// TensorFlow's mask, so that the checksum of bytes that hold their own checksum is of use.
fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{header, put_varint};

    #[test]
    fn a_header_is_that_of_the_tensorboard_package() {
        // `RecordWriter` and `Event` of tensorboard 2.21.0, for the time 1.5.
        let expected = include_bytes!("testdata/header.tfevents");
        assert_eq!(header(1.5), expected);
    }

    #[test]
    fn varints_are_those_of_protocol_buffers() {
        for (value, bytes) in [(1, &[1][..]), (150, &[0x96, 1]), (300, &[0xac, 2])] {
            let mut message = Vec::new();
            put_varint(&mut message, value);
            assert_eq!(message, bytes);
        }
    }
}
