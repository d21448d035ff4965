use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::server::clock::since_epoch;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    /// Seconds since 1970-01-01.
    pub(super) unix: u64,
}

/// The clock of the batch services. It can be put forward, so that tests need not wait.
#[derive(Debug, Default)]
pub(in crate::server) struct BatchClock {
    ahead: Mutex<Duration>,
    moved: Notify,
}

impl BatchClock {
    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        let ahead = self.ahead();
        Moment {
            at: Instant::now() + ahead,
            unix: (since_epoch() + ahead).as_secs(),
        }
    }

    /// Puts the clock forward; whoever waits looks at it again.
    pub(in crate::server) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.moved.notify_waiters();
    }

    /// Ready when the clock is put forward after this call.
    pub(super) fn moved(&self) -> Notified<'_> {
        self.moved.notified()
    }
}
