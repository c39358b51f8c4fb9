//! The threads of one process as a group.

use crate::group::{Group, PeerLost};
use crate::ranks::Ranks;
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The ends of a group of `size` threads, by rank. Give each to one thread.
pub fn threads(size: usize) -> Vec<Ranks> {
    let values = Arc::new(Meeting::new(size));
    let counts = Arc::new(Meeting::new(size));
    let bytes = Arc::new(Meeting::new(size));
    let rank = |rank| Thread {
        rank,
        size,
        values: values.clone(),
        counts: counts.clone(),
        bytes: bytes.clone(),
    };
    (0..size).map(rank).map(Ranks::new).collect()
}

/// Runs `work` on `size` threads that are a group; what it gives, by rank. A panic of one of them goes on here.
pub fn on_threads<T: Send>(size: usize, work: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let run = |ranks| {
            let work = &work;
            scope.spawn(move || work(ranks))
        };
        let all: Vec<_> = threads(size).into_iter().map(run).collect();
        let joined = all.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[derive(Debug)]
struct Thread {
    rank: usize,
    size: usize,
    values: Arc<Meeting<Vec<f32>>>,
    counts: Arc<Meeting<Vec<u64>>>,
    bytes: Arc<Meeting<Vec<u8>>>,
}

impl Group for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [f32]) -> Result<(), PeerLost> {
        let all = self.values.exchange(self.rank, values.to_vec())?;
        values.fill(0.0);
        for given in all.iter() {
            for (sum, value) in values.iter_mut().zip(given) {
                *sum += value;
            }
        }
        Ok(())
    }

    fn sum_counts(&self, counts: &mut [u64]) -> Result<(), PeerLost> {
        let all = self.counts.exchange(self.rank, counts.to_vec())?;
        for (i, count) in counts.iter_mut().enumerate() {
            *count = all.iter().map(|given| given[i]).sum();
        }
        Ok(())
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, PeerLost> {
        Ok(self.bytes.exchange(self.rank, own.to_vec())?.to_vec())
    }
}

impl Drop for Thread {
    /// Those that wait for this rank would wait for ever.
    fn drop(&mut self) {
        self.values.leave();
        self.counts.leave();
        self.bytes.leave();
    }
}

/// Where all ranks bring something, and leave with what each of them brought.
#[derive(Debug)]
struct Meeting<T> {
    table: Mutex<Table<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Table<T> {
    brought: Vec<Option<T>>,
    /// What was brought, from the moment that everybody is there to the moment that the last one leaves.
    complete: Option<Arc<[T]>>,
    left: usize,
    is_over: bool,
}

impl<T> Meeting<T> {
    fn new(size: usize) -> Self {
        let brought = (0..size).map(|_| None).collect();
        let table = Table { brought, complete: None, left: 0, is_over: false };
        Self { table: Mutex::new(table), changed: Condvar::new() }
    }

    fn exchange(&self, rank: usize, own: T) -> Result<Arc<[T]>, PeerLost> {
        // The slowest may still be leaving the meeting before.
        let mut table = self.wait(self.lock(), |table| table.complete.is_none())?;
        table.brought[rank] = Some(own);
        if table.brought.iter().all(Option::is_some) {
            table.complete = Some(table.brought.iter_mut().filter_map(Option::take).collect());
            self.changed.notify_all();
        }
        let mut table = self.wait(table, |table| table.complete.is_some())?;
        let all = table.complete.clone().ok_or(PeerLost)?;
        table.left += 1;
        if table.left == table.brought.len() {
            (table.complete, table.left) = (None, 0);
            self.changed.notify_all();
        }
        Ok(all)
    }

    fn wait<'a>(
        &'a self,
        mut table: MutexGuard<'a, Table<T>>,
        until: impl Fn(&Table<T>) -> bool,
    ) -> Result<MutexGuard<'a, Table<T>>, PeerLost> {
        while !until(&table) {
            if table.is_over {
                return Err(PeerLost);
            }
            table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(table)
    }

    fn leave(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::on_threads;
    use crate::group::PeerLost;

    #[test]
    fn everybody_gets_the_sum_and_what_each_gave() {
        for size in [1, 2, 3, 5] {
            let results = on_threads(size, |ranks| {
                let rank = u8::try_from(ranks.rank()).unwrap();
                // Again and again, so that a fast rank meets a slow one that is still leaving.
                for round in 0..200_u8 {
                    let mut values = [f32::from(rank), f32::from(round)];
                    ranks.sum(&mut values).unwrap();
                    let mut counts = [u64::from(rank)];
                    ranks.sum_counts(&mut counts).unwrap();
                    let below = (size * (size - 1) / 2) as f32;
                    assert_eq!(values, [below, f32::from(round) * size as f32]);
                    assert_eq!(counts, [(size * (size - 1) / 2) as u64]);
                }
                ranks.gather(&vec![rank; ranks.rank()]).unwrap()
            });
            for result in results {
                let lengths: Vec<usize> = result.iter().map(Vec::len).collect();
                assert_eq!(lengths, (0..size).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_rank_that_ends_is_noticed_by_those_that_wait() {
        let results = on_threads(3, |ranks| {
            if ranks.rank() == 1 {
                return Ok(());
            }
            ranks.any(true).map(drop)
        });
        assert_eq!(results, [Err(PeerLost), Ok(()), Err(PeerLost)]);
    }

    #[test]
    fn turns_do_not_overlap_and_parts_cover_everything_once() {
        let busy = std::sync::atomic::AtomicBool::new(false);
        let parts = on_threads(4, |ranks| {
            use std::sync::atomic::Ordering::SeqCst;
            ranks
                .in_turn(|| {
                    assert!(!busy.swap(true, SeqCst));
                    std::thread::yield_now();
                    busy.store(false, SeqCst);
                })
                .unwrap();
            assert_eq!(ranks.of_first(&[if ranks.is_first() { 7 } else { 8 }]).unwrap(), [7]);
            ranks.part_of(10)
        });
        assert_eq!(parts, [0..2, 2..5, 5..7, 7..10]);
    }
}
