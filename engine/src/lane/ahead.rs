//! A step that goes on beside its lane: reading the next batch, or a batch on its way to OUT.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

/// A step under way, or what it came to.
pub(super) enum Ahead<T> {
    Under(LocalBoxFuture<'static, T>),
    Done(T),
}

impl<T> Ahead<T> {
    /// Sets a step going: it is polled once, and from then on whenever [`Self::done`] is.
    pub(super) fn start(step: impl Future<Output = T> + 'static) -> Self {
        let mut step = step.boxed_local();
        match (&mut step).now_or_never() {
            Some(output) => Self::Done(output),
            None => Self::Under(step),
        }
    }

    /// Ready when the step is done; what it came to stays. Dropping the future loses nothing.
    pub(super) async fn done(&mut self) {
        if let Self::Under(step) = self {
            *self = Self::Done(step.await);
        }
    }

    /// What the step comes to.
    pub(super) async fn output(self) -> T {
        match self {
            Self::Under(step) => step.await,
            Self::Done(output) => output,
        }
    }
}

/// [`Ahead::done`] of a step that may not have been begun; then never.
pub(super) async fn done<T>(step: &mut Option<Ahead<T>>) {
    match step {
        Some(step) => step.done().await,
        None => std::future::pending().await,
    }
}
