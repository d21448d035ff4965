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
    cut: Option<Break>,
}

#[derive(Debug)]
struct Break {
    ending: Option<Ending>,
    /// Set once the first half is on its way.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl ReplyBody {
    pub(super) fn whole(data: Vec<u8>) -> Self {
        Self {
            promised: data.len() as u64,
            data: (!data.is_empty()).then(|| data.into()),
            cut: None,
        }
    }

    /// The first half, then nothing; with an ending, the whole connection is reset.
    pub(super) fn half(mut data: Vec<u8>, ending: Option<Ending>) -> Self {
        let promised = data.len() as u64;
        data.truncate(data.len() / 2);
        Self {
            promised,
            data: Some(data.into()),
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
        self.data.is_none() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.is_end_stream() {
            0
        } else {
            self.promised
        })
    }
}
