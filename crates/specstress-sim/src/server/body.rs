use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use crate::server::connection::Ending;

/// How long the first half of a broken body gets to reach the client.
const FLUSH: Duration = Duration::from_millis(15);

/// A reply that breaks off on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is cut off on purpose")]
pub(super) struct Cut;

/// The body of a reply: all of it, or a part of what its length promises and then a reset.
#[derive(Debug)]
pub(super) struct ReplyBody {
    data: Option<Bytes>,
    promised: u64,
    /// What comes after the data, made when it is sent.
    rest: Option<Chunks>,
    cut: Option<Break>,
}

/// Makes one piece after the other.
struct Chunks(Box<dyn FnMut() -> Option<Vec<u8>> + Send>);

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Break {
    ending: Option<Ending>,
    /// Set once the first half is on its way.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl ReplyBody {
    pub(super) fn whole(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        Self {
            promised: data.len() as u64,
            data: (!data.is_empty()).then_some(data),
            rest: None,
            cut: None,
        }
    }

    /// Pieces of this length together.
    pub(super) fn chunks(
        promised: u64,
        next: impl FnMut() -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self {
            data: None,
            promised,
            rest: (promised > 0).then(|| Chunks(Box::new(next))),
            cut: None,
        }
    }

    /// The first half, then nothing; with an ending, the whole connection is reset.
    pub(super) fn half(data: impl Into<Bytes>, ending: Option<Ending>) -> Self {
        let mut data = data.into();
        let promised = data.len() as u64;
        data.truncate(data.len() / 2);
        Self {
            promised,
            data: Some(data),
            rest: None,
            cut: Some(Break {
                ending,
                sleep: None,
            }),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(Chunks(next)) = &mut self.rest {
            // Pieces without anything in them are no frames.
            let piece = std::iter::from_fn(next).find(|piece| !piece.is_empty());
            if let Some(piece) = piece {
                return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
            }
            self.rest = None;
        }
        let Some(Break { ending, sleep }) = &mut self.cut else {
            return Poll::Ready(None);
        };
        let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSH)));
        std::task::ready!(sleep.as_mut().poll(context));
        if let Some(ending) = ending {
            ending.reset();
        }
        Poll::Ready(Some(Err(Cut)))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.rest.is_none() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.is_end_stream() {
            0
        } else {
            self.promised
        })
    }
}
