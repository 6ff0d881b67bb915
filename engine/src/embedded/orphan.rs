//! The server of an engine that was killed: found by its record, proven to be ours, ended.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::task::spawn_blocking;

use super::Error;
use super::folder::Folder;
use super::readiness::server_name;
use super::record::{self, Record};

/// How long the server may take to close its files.
const GRACE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// How long the system may take to remove a killed process.
const KILL: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Ends the server that the record names, if number, start time, arguments and - where it still answers - its own name
/// prove that it is ours. Any other process is left alone.
///
/// # Errors
///
/// [`Error::Orphan`] when it is ours and does not end.
pub(super) async fn end(folder: &Folder) -> Result<(), Error> {
    let Some(record) = Record::read(&folder.record()) else { return end_unrecorded(folder).await };
    let failed = |source| Error::Orphan { pid: record.pid, source };
    let Some(process) = record.process(&folder.config()).map_err(failed)? else {
        return end_unrecorded(folder).await;
    };
    if server_name(record.port).await.is_ok_and(|name| name != record.server_name) {
        return Ok(());
    }
    tracing::warn!(pid = record.pid, port = record.port, "ending the NATS server of an engine that was killed");
    let ended = spawn_blocking(move || end_process(&process)).await;
    ended.map_err(io::Error::other).and_then(|result| result).map_err(failed)
}

/// The same of a server whose engine was killed before it could write the record: one that was started with our
/// configuration, and whose standard input is our lock.
async fn end_unrecorded(folder: &Folder) -> Result<(), Error> {
    for (pid, process) in record::holders(&folder.lock_file(), &folder.config()) {
        tracing::warn!(pid, "ending the NATS server of an engine that was killed while it started");
        let ended = spawn_blocking(move || end_process(&process)).await;
        let failed = |source| Error::Orphan { pid, source };
        ended.map_err(io::Error::other).and_then(|result| result).map_err(failed)?;
    }
    Ok(())
}

/// Asks the process to end, and kills it when it takes too long. Blocks the thread.
fn end_process(process: &OwnedFd) -> io::Result<()> {
    for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, KILL)] {
        match pidfd_send_signal(process, signal) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // The handle becomes readable when the process has ended (pidfd_open(2)).
        let mut handles = [PollFd::new(process, PollFlags::IN)];
        if retry_on_intr(|| poll(&mut handles, Some(&patience)))? > 0 {
            return Ok(());
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
