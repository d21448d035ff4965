use std::collections::{BTreeMap, VecDeque};
use std::future::Future;

use futures::stream::{FuturesUnordered, StreamExt};
use specstress_llm::{LlmError, LlmErrorKind, OutcomeKind, Unanswered};

use crate::error::PipelineError;

/// Why a stage ends before its items do.
#[derive(Debug)]
pub(crate) enum Abort {
    /// The run was asked to stop.
    Stopped,
    /// Calls were put off: the stage must be gone through again.
    Deferred,
    /// Every further call would fail.
    Fatal(LlmError),
    /// A table, a file or a computation failed.
    Error(PipelineError),
}

impl Abort {
    pub(crate) fn into_error(self, stage: &'static str) -> PipelineError {
        match self {
            Self::Stopped | Self::Deferred => PipelineError::Stopped { stage },
            Self::Fatal(source) if source.kind() == LlmErrorKind::OverBudget => {
                PipelineError::OverBudget { stage, source }
            }
            Self::Fatal(source) => PipelineError::Fatal { stage, source },
            Self::Error(error) => error,
        }
    }
}

impl<E: Into<PipelineError>> From<E> for Abort {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// An item without an answer, as tables record it.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) outcome: OutcomeKind,
    pub(crate) detail: String,
}

impl Lost {
    pub(crate) fn not_run(detail: impl Into<String>) -> Self {
        Self {
            outcome: OutcomeKind::NotRun,
            detail: detail.into(),
        }
    }
}

/// How an item ended, once stops and fatal errors are told apart from it.
pub(crate) type Settled<T> = Result<T, Lost>;

/// The outcome and detail columns of a settled item.
pub(crate) fn columns<T>(settled: &Settled<T>) -> (OutcomeKind, Option<String>) {
    match settled {
        Ok(_) => (OutcomeKind::Answered, None),
        Err(lost) => (lost.outcome, Some(lost.detail.clone())),
    }
}

/// Sorts the ways of not having an answer into those that end the stage and those that end the item.
pub(crate) fn settle<T>(result: Result<T, Unanswered>) -> Result<Settled<T>, Abort> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(unanswered) if unanswered.is_stopped() => Err(Abort::Stopped),
        Err(unanswered) if unanswered.is_deferred() => Err(Abort::Deferred),
        Err(Unanswered::Failed(error)) if error.is_fatal() => Err(Abort::Fatal(error)),
        Err(unanswered) => Ok(Err(Lost {
            outcome: unanswered.kind(),
            detail: unanswered.to_string(),
        })),
    }
}

/// How far ahead of the oldest unfinished item new items may start, as a multiple of the concurrency: one
/// slow call must not idle the others, and what waits for it must not fill the memory.
const WINDOW: usize = 8;

/// Works on items with at most `concurrency` at a time and hands the results on in the items' order.
///
/// Memory is bounded by the window whatever the number of items. After the first abort no item starts; those
/// in flight end first, so that their replies are stored. An item whose calls were put off aborts nothing: the others
/// go on, so that theirs are put off too, but no result is handed on after it, and the end is [`Abort::Deferred`].
pub(crate) async fn ordered<I, F, T>(
    items: impl Iterator<Item = Result<I, Abort>> + Send,
    concurrency: usize,
    work: impl Fn(I) -> F + Send,
    mut sink: impl FnMut(T) -> Result<(), Abort> + Send,
) -> Result<(), Abort>
where
    I: Send,
    F: Future<Output = Result<T, Abort>> + Send,
    T: Send,
{
    let concurrency = concurrency.max(1);
    let mut items = items.fuse();
    let mut running = FuturesUnordered::new();
    let mut waiting: BTreeMap<usize, T> = BTreeMap::new();
    let (mut started, mut emitted) = (0_usize, 0_usize);
    let mut abort: Option<Abort> = None;
    let mut deferred = false;
    loop {
        while abort.is_none()
            && running.len() < concurrency
            && (deferred || started - emitted < concurrency.saturating_mul(WINDOW))
        {
            match items.next() {
                Some(Ok(item)) => {
                    let index = started;
                    let result = work(item);
                    running.push(async move { (index, result.await) });
                    started += 1;
                }
                Some(Err(error)) => abort = Some(error),
                None => break,
            }
        }
        let Some((index, result)) = running.next().await else {
            break;
        };
        match result {
            Err(Abort::Deferred) => {
                deferred = true;
                waiting.clear();
            }
            Ok(value) if abort.is_none() && !deferred => {
                waiting.insert(index, value);
                while let Some(value) = waiting.remove(&emitted) {
                    emitted += 1;
                    if let Err(error) = sink(value) {
                        abort = Some(error);
                        break;
                    }
                }
            }
            Ok(_) => {}
            // The first error tells more than the stops that follow from it.
            Err(error) => {
                abort.get_or_insert(error);
            }
        }
    }
    match abort {
        Some(abort) => Err(abort),
        None if deferred => Err(Abort::Deferred),
        None => Ok(()),
    }
}

/// Groups consecutive rows of one key; the rows must be sorted so that equal keys are neighbours.
pub(crate) struct Groups<R, T, K> {
    rows: R,
    key: K,
    ahead: VecDeque<T>,
}

impl<R, T, E, K> Groups<R, T, K>
where
    R: Iterator<Item = Result<T, E>>,
    K: Fn(&T) -> &str,
{
    pub(crate) fn new(rows: R, key: K) -> Self {
        Self {
            rows,
            key,
            ahead: VecDeque::new(),
        }
    }

    /// The group of this key when it comes next, else nothing.
    pub(crate) fn take(&mut self, wanted: &str) -> Result<Vec<T>, E> {
        let mut group = Vec::new();
        loop {
            if self.ahead.is_empty() {
                match self.rows.next() {
                    Some(row) => self.ahead.push_back(row?),
                    None => return Ok(group),
                }
            }
            match self.ahead.pop_front() {
                Some(row) if (self.key)(&row) == wanted => group.push(row),
                Some(row) => {
                    self.ahead.push_front(row);
                    return Ok(group);
                }
                None => return Ok(group),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_with_bounded_work() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let got = Mutex::new(Vec::new());
        let items = (0..500_usize).map(Ok);
        futures::executor::block_on(ordered(
            items,
            7,
            |item| {
                let (running, most) = (&running, &most);
                async move {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Later items overtake earlier ones.
                    for _ in 0..(item * 7919) % 13 {
                        let mut waited = false;
                        std::future::poll_fn(|context| {
                            if std::mem::replace(&mut waited, true) {
                                return std::task::Poll::Ready(());
                            }
                            context.waker().wake_by_ref();
                            std::task::Poll::Pending
                        })
                        .await;
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(item)
                }
            },
            |item| {
                got.lock().expect("not poisoned").push(item);
                Ok(())
            },
        ))
        .unwrap();
        assert_eq!(got.into_inner().unwrap(), (0..500).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), 7);
    }

    #[test]
    fn an_abort_lets_what_runs_end_and_starts_nothing() {
        let started = AtomicUsize::new(0);
        let ended = AtomicUsize::new(0);
        let result = futures::executor::block_on(ordered(
            (0..1000_usize).map(Ok),
            4,
            |item| {
                started.fetch_add(1, Ordering::SeqCst);
                let ended = &ended;
                async move {
                    ended.fetch_add(1, Ordering::SeqCst);
                    if item == 10 {
                        return Err(Abort::Stopped);
                    }
                    Ok(item)
                }
            },
            |_| Ok(()),
        ));
        assert!(matches!(result, Err(Abort::Stopped)));
        assert_eq!(started.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
        assert!(started.into_inner() < 20);
    }

    #[test]
    fn what_is_put_off_lets_all_others_start_and_hands_nothing_on_after_it() {
        let started = AtomicUsize::new(0);
        let mut got = Vec::new();
        let result = futures::executor::block_on(ordered(
            (0..1000_usize).map(Ok),
            4,
            |item| {
                started.fetch_add(1, Ordering::SeqCst);
                async move {
                    if item == 10 {
                        return Err(Abort::Deferred);
                    }
                    Ok(item)
                }
            },
            |item| {
                got.push(item);
                Ok(())
            },
        ));
        assert!(matches!(result, Err(Abort::Deferred)));
        assert_eq!(started.into_inner(), 1000);
        assert_eq!(got, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn groups_follow_the_asked_keys() {
        let rows = ["a", "a", "b", "d"].map(|key| Ok::<_, ()>((key.to_owned(), Cell::new(0))));
        let mut groups = Groups::new(rows.into_iter(), |row: &(String, Cell<i32>)| row.0.as_str());
        assert_eq!(groups.take("a").unwrap().len(), 2);
        assert_eq!(groups.take("b").unwrap().len(), 1);
        assert_eq!(groups.take("c").unwrap().len(), 0);
        assert_eq!(groups.take("d").unwrap().len(), 1);
        assert_eq!(groups.take("e").unwrap().len(), 0);
    }
}
