//! What two executions of a run have in common.

use kiln_trainer::record::EpochRecord;

/// The records without what depends on the machine.
pub(crate) fn comparable(mut records: Vec<EpochRecord>) -> Vec<EpochRecord> {
    for record in &mut records {
        record.images_per_second = 0.0;
        record.seconds = 0.0;
        record.device_memory_bytes = None;
        record.host_memory_bytes = None;
        record.data_seconds = 0.0;
        record.checkpoint_seconds = 0.0;
        record.unix_seconds = 0.0;
    }
    records
}
