//! The one writer of the call store: a thread that commits in groups.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures::channel::oneshot;
use rusqlite::{Connection, Transaction};
use specstress_llm::StoreError;

use super::desk::Desk;
use super::encode::BoxError;

/// Most jobs in one transaction: bounds both the loss window and the memory of a burst.
const GROUP: usize = 256;

type Work = dyn FnOnce(&Transaction<'_>, &mut Desk) -> Result<(), BoxError> + Send;

struct Job {
    work: Box<Work>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Takes jobs from anywhere and answers when they are on disk.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("call-store".to_owned())
            .spawn(move || write_loop(connection, &receiver))?;
        Ok(Self {
            jobs: Some(sender),
            thread: Some(thread),
        })
    }

    /// Does some work in a transaction; the answer comes when it is committed. A group in which one job fails is
    /// rolled back as a whole, and all its callers are told.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Desk) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::new("the writer has ended", "see the first error above");
        let result: Arc<Mutex<Option<T>>> = Arc::default();
        let slot = Arc::clone(&result);
        let (done, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(move |transaction, desk| {
                let value = work(transaction, desk)?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(())
            }),
            done,
        };
        self.jobs
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or_else(gone)?;
        answer.await.map_err(|_| gone())??;
        let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or_else(gone)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the channel ends the writer after what it already holds.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported to every caller through its dropped answer.
            let _ = thread.join();
        }
    }
}

fn write_loop(mut connection: Connection, jobs: &Receiver<Job>) {
    // Without a compressor nothing can be stored; the closed channel tells every caller.
    let Ok(mut desk) = Desk::new() else {
        return;
    };
    let failure = match connection.path() {
        Some(path) => format!("cannot write a reply to {path}"),
        None => "cannot write a reply".to_owned(),
    };
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        let (work, callers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.work, job.done)).unzip();
        let result = write_group(&mut connection, &mut desk, work);
        for caller in callers {
            // A caller that went away does not need the answer.
            let _ = caller.send(
                result
                    .as_ref()
                    .map_err(|error| StoreError::new(failure.clone(), error.to_string()))
                    .copied(),
            );
        }
    }
    // So that the file alone is the whole store; when it cannot be, the log still is beside it.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

fn write_group(
    connection: &mut Connection,
    desk: &mut Desk,
    group: Vec<Box<Work>>,
) -> Result<(), BoxError> {
    let transaction = connection.transaction()?;
    desk.open(&transaction)?;
    for work in group {
        work(&transaction, desk)?;
    }
    desk.count(&transaction)?;
    transaction.commit()?;
    Ok(())
}
