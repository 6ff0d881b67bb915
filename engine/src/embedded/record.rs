//! `D/nats/server.json`: which process the server is, so that it is found again when its engine was killed.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::data_dir::private;

/// The running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The process.
    pub(super) pid: u32,
    /// When the process started, in clock ticks since the machine's start (`starttime` of proc_pid_stat(5)).
    pub(super) start_ticks: u64,
    /// The name the server gives itself.
    pub(super) server_name: String,
    /// The loopback port it listens on.
    pub(super) port: u16,
}

impl Record {
    /// Describes the process `pid`, which is ours and not yet waited for.
    pub(super) fn of(pid: u32, server_name: &str, port: u16) -> io::Result<Self> {
        Ok(Self { pid, start_ticks: start_ticks(pid)?, server_name: server_name.to_owned(), port })
    }

    /// The record of the last server; none when there is none or it cannot be understood.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Keeps the record.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        private::write(path, &serde_json::to_vec_pretty(self)?)
    }

    /// A handle of the process, if it still runs and is a server started with `config`.
    ///
    /// The handle is opened before the checks and names one process for ever: a process that gets the same number
    /// later is not reached through it.
    pub(super) fn process(&self, config: &Path) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_ours = start_ticks(self.pid).is_ok_and(|ticks| ticks == self.start_ticks)
            && has_argument(self.pid, config).unwrap_or(false);
        Ok(is_ours.then_some(handle))
    }
}

/// The processes that were started with `config` and whose standard input is `lock`, with their handles. What cannot be
/// looked at is not ours.
pub(super) fn holders(lock: &Path, config: &Path) -> Vec<(u32, OwnedFd)> {
    let is_one = |pid: u32| {
        std::fs::read_link(format!("/proc/{pid}/fd/0")).is_ok_and(|input| input == lock)
            && has_argument(pid, config).unwrap_or(false)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holder = |pid: u32| {
        let handle = pidfd_open(Pid::from_raw(i32::try_from(pid).ok()?)?, PidfdFlags::empty()).ok()?;
        // Again: the handle names one process for ever, the number does not.
        is_one(pid).then_some((pid, handle))
    };
    pids.filter(|pid| is_one(*pid)).filter_map(holder).collect()
}

fn start_ticks(pid: u32) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // `starttime` is field 22; the first behind the name is field 3.
    let ticks = after_name.split_whitespace().nth(22 - 3).and_then(|field| field.parse().ok());
    ticks.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no start time in /proc/<pid>/stat"))
}

fn has_argument(pid: u32, wanted: &Path) -> io::Result<bool> {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline"))?;
    Ok(arguments.split(|byte| *byte == 0).any(|argument| argument == wanted.as_os_str().as_encoded_bytes()))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    /// A process of somebody else; ended with the test.
    struct Other(Child);

    impl Other {
        fn start(argument: &str) -> Self {
            let mut command = Command::new("sh");
            command.args(["-c", "read -r line", "sh", argument]).stdin(Stdio::piped());
            let other = Self(command.spawn().unwrap());
            // The arguments can be seen a moment after the program was started.
            let begun = Instant::now();
            while !has_argument(other.0.id(), Path::new(argument)).unwrap() {
                assert!(begun.elapsed() < Duration::from_secs(30), "the process shows no arguments");
                std::thread::yield_now();
            }
            other
        }

        fn record(&self) -> Record {
            Record::of(self.0.id(), "linesman-test", 4222).unwrap()
        }
    }

    impl Drop for Other {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    #[test]
    fn a_process_is_ours_only_when_number_start_and_config_agree() {
        let other = Other::start("/d/server.conf");
        let record = other.record();
        let found = |record: &Record, config: &str| record.process(Path::new(config)).unwrap().is_some();
        assert!(found(&record, "/d/server.conf"));
        assert!(!found(&record, "/d/server.con"), "another config");
        assert!(!found(&Record { start_ticks: record.start_ticks + 1, ..record.clone() }, "/d/server.conf"), "reused");
        drop(other);
        assert!(!found(&record, "/d/server.conf"), "gone");
    }

    #[test]
    fn a_record_that_makes_no_sense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        assert_eq!(Record::read(&path), None);
        std::fs::write(&path, "{\"pid\": 1").unwrap();
        assert_eq!(Record::read(&path), None);
        for pid in [0, u32::MAX] {
            let record = Record { pid, start_ticks: 0, server_name: String::new(), port: 0 };
            assert!(record.process(Path::new("/")).unwrap().is_none(), "{pid}");
        }
    }
}
