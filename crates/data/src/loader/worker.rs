//! The threads.

use super::form::Form;
use super::job::Desk;
use super::queue::Queue;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, panicking};

/// Starts worker `number` on `queue`.
pub(super) fn start<T: Form>(queue: &Arc<Queue<T>>, number: usize) -> io::Result<JoinHandle<()>> {
    let queue = Arc::clone(queue);
    Builder::new().name(format!("kiln-loader-{number}")).spawn(move || {
        // Leaves the queue however this thread ends, so that the consumer never waits for nobody.
        let member = Member { queue };
        work(&member.queue);
    })
}

struct Member<T: Form> {
    queue: Arc<Queue<T>>,
}

impl<T: Form> Drop for Member<T> {
    fn drop(&mut self) {
        if panicking() {
            // The picture it had will never come.
            self.queue.stop();
        }
        self.queue.leave();
    }
}

fn work<T: Form>(queue: &Queue<T>) {
    let mut desk = Desk::new(&queue.job.recipe);
    while let Some(task) = queue.take() {
        let outcome = queue.job.prepare(&mut desk, task.sample);
        if task.assembly.place(task.position, outcome) {
            queue.announce();
        }
    }
}
