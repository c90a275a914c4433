//! The threads that do the work.

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Name of the worker threads, with a number behind it.
pub const WORKER_THREAD_NAME: &str = "audiostretchy-worker-";

/// A pool of so many workers (0: one a processor), or of as many as the system lets us start;
/// `None` where that is not even one.
pub(super) fn pool(threads: usize) -> Option<ThreadPool> {
    let mut threads = jobs_at_a_time(threads).min(affordable());
    while threads > 0 {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("{WORKER_THREAD_NAME}{index}"))
            .build();
        match pool {
            Ok(pool) => return Some(pool),
            // What is left after as many as could be had is no room to work in.
            Err(_) => threads /= 2,
        }
    }
    None
}

/// How many threads the memory has room for that this process may ask for.
///
/// Each has a stack, and takes a good deal more at once for what it allocates; beyond the limit, not
/// the start of a thread fails but any allocation, which ends the process.
#[cfg(unix)]
fn affordable() -> usize {
    const PROCESS: u64 = 96 << 20;
    const THREAD: u64 = 72 << 20;
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    let threads = limit.map_or(u64::MAX, |bytes| bytes.saturating_sub(PROCESS) / THREAD);
    usize::try_from(threads.max(1)).unwrap_or(usize::MAX)
}

/// How many threads the memory has room for that this process may ask for: nobody tells.
#[cfg(not(unix))]
fn affordable() -> usize {
    usize::MAX
}

/// Does something that uses rayon's iterators, on threads known as workers, whose panics nobody has
/// to hear of; where none can be started, on this thread alone.
pub(super) fn in_parallel<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool(0) {
        Some(pool) => pool.install(work),
        None => {
            // Rayon takes this thread for its only one, from here on for good. Where it belongs to
            // a pool already, that is used.
            let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            std::mem::forget(alone.build());
            work()
        }
    }
}

/// How many workers `files` files need where `jobs` are asked for (0: one a processor): some a file,
/// since the parts of a long one can be encoded side by side.
pub(super) fn workers(jobs: usize, files: usize) -> usize {
    const WORKERS_OF_A_FILE: usize = 16;
    jobs_at_a_time(jobs)
        .min(files.saturating_mul(WORKERS_OF_A_FILE))
        .max(1)
}

/// How many files are worked on at a time where `jobs` are asked for (0: one a processor).
pub(super) fn jobs_at_a_time(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    }
}
