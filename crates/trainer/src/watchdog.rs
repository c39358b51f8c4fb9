//! Reports a run that does not get on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Shortest time without progress that is reported.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many times what the same thing took before is no stall yet.
const USUAL: u32 = 10;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The loader is to deliver.
    Pictures,
    /// The device is to compute.
    Step,
    /// The other ranks are to be done, too.
    Ranks,
    /// Both, on the validation set.
    Validation,
    /// The disk is to take a checkpoint.
    Checkpoint,
    /// What gives no sign while it goes on, and is not reported.
    Other,
}

impl Phase {
    fn in_words(self) -> &'static str {
        match self {
            Self::Pictures => {
                "waiting for pictures from the loader: is the disk or the network slow?"
            }
            Self::Step => "a training step: does the device answer?",
            Self::Ranks => "waiting for the other processes of the job: does each of them get on?",
            Self::Validation => "validation",
            Self::Checkpoint => "writing a checkpoint: is the disk slow?",
            Self::Other => "something else",
        }
    }
}

/// Looks at a run from a thread of its own. What takes very long is reported once, through `tracing` as a warning.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    beat: Mutex<Beat>,
    changed: Condvar,
}

#[derive(Debug)]
struct Beat {
    phase: Phase,
    since: Instant,
    /// The longest that each phase took.
    longest: [Duration; 6],
    reported: bool,
    over: bool,
}

impl Watchdog {
    /// Begins to look.
    pub(crate) fn new() -> Self {
        Self::with(PATIENCE, |line| tracing::warn!("{line}"))
    }

    fn with(patience: Duration, report: impl Fn(String) + Send + 'static) -> Self {
        let beat = Beat {
            phase: Phase::Other,
            since: Instant::now(),
            longest: [Duration::ZERO; 6],
            reported: false,
            over: false,
        };
        let shared = Arc::new(Shared { beat: Mutex::new(beat), changed: Condvar::new() });
        let seen = shared.clone();
        let watch = move || seen.watch(patience, &report);
        // Without a thread nobody looks, and nothing else changes.
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch).ok();
        Self { shared, thread }
    }

    /// The run begins something.
    pub(crate) fn enter(&self, phase: Phase) {
        let mut beat = self.shared.lock();
        let (before, took) = (beat.phase as usize, beat.since.elapsed());
        beat.longest[before] = beat.longest[before].max(took);
        (beat.phase, beat.since, beat.reported) = (phase, Instant::now(), false);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It holds nothing that could be lost.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Every change is one assignment, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, patience: Duration, report: &impl Fn(String)) {
        let mut beat = self.lock();
        while !beat.over {
            let limit = patience.max(USUAL * beat.longest[beat.phase as usize]);
            let waited = beat.since.elapsed();
            if waited >= limit && !beat.reported && beat.phase != Phase::Other {
                beat.reported = true;
                let seconds = waited.as_secs_f64();
                report(format!("no progress for {seconds:.0} s: {}", beat.phase.in_words()));
            }
            // What comes next may be stalled sooner than this is.
            let next = limit.saturating_sub(waited).min(patience);
            let wait = if next.is_zero() { patience } else { next };
            let woken = self.changed.wait_timeout(beat, wait);
            beat = woken.map_or_else(|poisoned| poisoned.into_inner().0, |(beat, _)| beat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Watchdog};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_stall_is_reported_once_with_what_it_is_in() {
        let (send, receive) = channel();
        // Returns when it was reported, or never.
        let watchdog = Watchdog::with(Duration::from_millis(20), move |line| {
            let _ = send.send(line);
        });
        watchdog.enter(Phase::Pictures);
        let line = receive.recv().unwrap_or_default();
        assert!(line.contains("waiting for pictures"), "{line}");
        watchdog.enter(Phase::Checkpoint);
        let line = receive.recv().unwrap_or_default();
        assert!(line.contains("writing a checkpoint"), "{line}");
        drop(watchdog);
        assert!(receive.recv().is_err(), "once each");
    }
}
