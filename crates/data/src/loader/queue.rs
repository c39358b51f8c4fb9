//! What workers and the consumer share: which picture is next, which batches are open, who is still there.

use super::assembly::Assembly;
use super::form::Form;
use super::job::Job;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One picture to prepare.
pub(super) struct Task<T> {
    pub(super) assembly: Arc<Assembly<T>>,
    /// Position in the batch.
    pub(super) position: usize,
    /// Position in the listing.
    pub(super) sample: u32,
}

/// What the consumer finds at the head of the queue.
pub(super) enum Head<T> {
    /// The next batch of the plan, complete.
    Ready(Arc<Assembly<T>>),
    /// The plan is done.
    End,
    /// No worker is left to complete the plan.
    Abandoned,
}

pub(super) struct Queue<T> {
    pub(super) job: Job,
    max_bytes: usize,
    state: Mutex<State<T>>,
    /// Workers wait here for room.
    room: Condvar,
    /// The consumer waits here for a batch.
    ready: Condvar,
}

struct State<T> {
    /// Batches begun and not yet taken by the consumer, in plan order; only the last may have pictures that no
    /// worker has.
    open: VecDeque<Arc<Assembly<T>>>,
    /// Bytes of `open`.
    open_bytes: usize,
    /// The first batch of the plan that is not open yet.
    next_batch: usize,
    /// The first picture of the last open batch that no worker has.
    next_position: usize,
    workers: usize,
    stopping: bool,
}

impl<T: Form> Queue<T> {
    pub(super) fn new(job: Job, max_bytes: usize, workers: usize) -> Self {
        let state = Mutex::new(State {
            open: VecDeque::new(),
            open_bytes: 0,
            next_batch: 0,
            next_position: 0,
            workers,
            stopping: false,
        });
        Self { job, max_bytes, state, room: Condvar::new(), ready: Condvar::new() }
    }

    /// Nothing that holds this lock can panic halfway through a change, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next picture of the plan, once there is room for its batch; `None` when there is nothing more to do.
    pub(super) fn take(&self) -> Option<Task<T>> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(task) = self.next_of_last_open(&mut state) {
                return Some(task);
            }
            if state.next_batch >= self.job.plan.len() {
                return None;
            }
            let bytes = self.job.bytes_of::<T>(state.next_batch);
            if state.open.is_empty() || state.open_bytes.saturating_add(bytes) <= self.max_bytes {
                let assembly = Arc::new(Assembly::new(&self.job, state.next_batch));
                state.open.push_back(assembly);
                state.open_bytes = state.open_bytes.saturating_add(bytes);
                state.next_batch += 1;
                state.next_position = 0;
            } else {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn next_of_last_open(&self, state: &mut State<T>) -> Option<Task<T>> {
        let assembly = state.open.back()?;
        let position = state.next_position;
        let sample = *self.job.plan.batch(assembly.batch()).get(position)?;
        let assembly = Arc::clone(assembly);
        state.next_position += 1;
        Some(Task { assembly, position, sample })
    }

    /// Waits for the next batch of the plan.
    pub(super) fn head(&self) -> Head<T> {
        let mut state = self.lock();
        loop {
            if state.open.front().is_some_and(|batch| batch.is_complete())
                && let Some(assembly) = state.open.pop_front()
            {
                state.open_bytes -= self.job.bytes_of::<T>(assembly.batch());
                self.room.notify_all();
                return Head::Ready(assembly);
            }
            if state.open.is_empty() && state.next_batch >= self.job.plan.len() {
                return Head::End;
            }
            if state.workers == 0 {
                return Head::Abandoned;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes the consumer, after a batch was completed. Taking the lock first makes sure that a consumer which
    /// found the batch incomplete is already waiting.
    pub(super) fn announce(&self) {
        drop(self.lock());
        self.ready.notify_all();
    }

    /// Notes that a worker ended, or was never started.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.workers = state.workers.saturating_sub(1);
        drop(state);
        self.ready.notify_all();
    }

    /// Tells workers to end after the picture they are on.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.room.notify_all();
    }
}
