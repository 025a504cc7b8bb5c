use std::future::Future;
use std::rc::Rc;

use espressync_model::Timestamp;
use espressync_model::remote::{Answer, RemoteError, Request};
use espressync_sync::LinkEvent;
use futures::Stream;

/// A way to the server.
#[allow(async_fn_in_trait, reason = "one thread: the futures need not be Send")]
pub trait Transport {
    /// A realtime connection. Dropping it closes it.
    type Link: Stream<Item = LinkEvent> + Unpin;

    /// Asks the server once. It gives up after a time of its own with
    /// [`RemoteErrorKind::Offline`](espressync_model::remote::RemoteErrorKind::Offline); trying
    /// again is the engine's affair.
    ///
    /// # Errors
    /// [`RemoteError`], by kind.
    async fn send(&self, request: Request) -> Result<Answer, RemoteError>;

    /// Opens a realtime connection and subscribes to every change of every model. The stream
    /// says [`LinkEvent::Ready`] once all subscriptions are acknowledged and ends with
    /// [`LinkEvent::Closed`], also when it could not be opened in reasonable time.
    fn connect(&self) -> Self::Link;
}

/// A transport that its owner keeps hold of, to give it new credentials.
impl<T: Transport> Transport for Rc<T> {
    type Link = T::Link;

    async fn send(&self, request: Request) -> Result<Answer, RemoteError> {
        T::send(self, request).await
    }

    fn connect(&self) -> Self::Link {
        T::connect(self)
    }
}

/// Time.
pub trait Clock {
    /// The moment.
    fn now(&self) -> Timestamp;

    /// Resolves at `deadline`, or at once when that has passed.
    fn sleep_until(&self, deadline: Timestamp) -> impl Future<Output = ()> + 'static;

    /// Resolves when the next picture may be drawn, or at the pace of pictures where none is:
    /// live queries tell of their changes no more often. Here: at once.
    fn next_frame(&self) -> impl Future<Output = ()> + 'static {
        std::future::ready(())
    }
}
