//! A part of the engine that ends what it has begun when it is stopped.

use std::io;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::Error;

/// See the module.
pub(super) struct Part {
    stop: watch::Sender<bool>,
    /// None once it has ended before its time.
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl Part {
    /// Work beside the caller, until it is told to stop and has ended what it had begun.
    pub(super) fn start<W>(work: impl FnOnce(watch::Receiver<bool>) -> W) -> Self
    where
        W: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: Some(tokio::spawn(work(stopped))) }
    }

    /// Ready when it ends with an error.
    pub(super) async fn broke_off(&mut self) -> Error {
        if let Some(task) = &mut self.task {
            let ended = ended(task.await);
            self.task = None;
            if let Err(error) = ended {
                return error;
            }
        }
        std::future::pending().await
    }

    /// Stops it, and waits until it has ended.
    ///
    /// # Errors
    /// It ended with one.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.stop.send_replace(true);
        match self.task {
            Some(task) => ended(task.await),
            None => Ok(()),
        }
    }
}

fn ended(ended: Result<Result<(), Error>, JoinError>) -> Result<(), Error> {
    ended.map_err(|error| Error::Broken(io::Error::other(error)))?
}
