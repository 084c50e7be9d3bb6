//! Files that wait for a thread.

use std::collections::VecDeque;
use std::path::PathBuf;

use lockscope::sync::{Condvar, Mutex};

/// A file and its number, by which postings name it.
#[derive(Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) number: u32,
    pub(crate) file: PathBuf,
}

struct Waiting {
    jobs: VecDeque<Job>,
    is_complete: bool,
}

/// A queue that ends: who takes from it waits for more until it is complete.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// An empty queue that is not complete.
    pub(crate) fn new() -> Self {
        let waiting = Waiting { jobs: VecDeque::new(), is_complete: false };
        Self {
            waiting: Mutex::named("work queue", waiting),
            changed: Condvar::named("work arrives"),
        }
    }

    /// Adds a job, and wakes a thread for it.
    pub(crate) fn push(&self, job: Job) {
        self.waiting.lock().expect("nobody panics with the queue").jobs.push_back(job);
        self.changed.notify_one();
    }

    /// Says that there is no more to come.
    pub(crate) fn complete(&self) {
        self.waiting.lock().expect("nobody panics with the queue").is_complete = true;
        self.changed.notify_all();
    }

    /// The oldest job; waits for one, and is `None` after the last.
    pub(crate) fn pop(&self) -> Option<Job> {
        let waiting = self.waiting.lock().expect("nobody panics with the queue");
        let mut waiting = self
            .changed
            .wait_while(waiting, |waiting| waiting.jobs.is_empty() && !waiting.is_complete)
            .expect("nobody panics with the queue");
        waiting.jobs.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_taken_once_and_in_order_by_one_thread() {
        let queue = Queue::new();
        let taken = std::thread::scope(|scope| {
            let taker = scope.spawn(|| std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>());
            for number in 0..100 {
                queue.push(Job { number, file: PathBuf::from("a.rs") });
            }
            queue.complete();
            taker.join().expect("the taker ends")
        });
        assert_eq!(taken.iter().map(|job| job.number).collect::<Vec<_>>(), Vec::from_iter(0..100));
        assert_eq!(queue.pop(), None);
    }
}
