//! What the system knows of this process. On systems without `/proc` some of it is left out.

use jiff::Timestamp;
use rustix::process::{Resource, getrlimit};

/// Sets what does not change: which program this is and when it started.
pub(super) fn begin() {
    metrics::gauge!("linesman_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::gauge!("process_start_time_seconds").set(Timestamp::now().as_millisecond() as f64 / 1000.0);
}

/// Looks at the process anew.
pub fn observe() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        if let Some(kib) = field(&status, "VmRSS:") {
            metrics::gauge!("process_resident_memory_bytes").set((kib * 1024) as f64);
        }
        if let Some(threads) = field(&status, "Threads:") {
            metrics::gauge!("process_threads").set(threads as f64);
        }
    }
    if let Some(ticks) = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_ticks(&stat)) {
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        metrics::counter!("process_cpu_seconds_total").absolute(ticks / a_second);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(files.count() as f64);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        metrics::gauge!("process_max_fds").set(most as f64);
    }
}

/// A number of `/proc/self/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time of `/proc/self/stat`. The program's name stands in parentheses and may hold any.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11).map(|text| text.parse::<u64>().ok());
    times.next()??.checked_add(times.next()??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 25 9 9 20 0 5 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(175));
        assert_eq!(cpu_ticks(""), None);
        assert_eq!(cpu_ticks("7 (a) S 1"), None);
        assert_eq!(field("Name:\tx\nVmRSS:\t   42 kB\nThreads:\t3\n", "VmRSS:"), Some(42));
        assert_eq!(field("", "VmRSS:"), None);
    }
}
