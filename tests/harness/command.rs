//! The `linesman` command, run as people and scripts run it.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::engine::{binary, ours};

/// The longest a command may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for name in ours() {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be run, does not end, or prints what is no text.
pub async fn run(args: &[&str]) -> anyhow::Result<Ended> {
    run_within(&[], args).await
}

/// As [`run`], with more environment variables.
///
/// # Errors
/// As [`run`].
pub async fn run_within(variables: &[(&str, &str)], args: &[&str]) -> anyhow::Result<Ended> {
    let mut command = command(&binary()?, args);
    command.envs(variables.iter().copied());
    end(command, &format!("{args:?}")).await
}

/// As [`run`], with its output into a pipe that nobody reads any more.
///
/// # Errors
/// As [`run`].
pub async fn run_unread(args: &[&str]) -> anyhow::Result<Ended> {
    let mut command = command(&binary()?, args);
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    command.stdout(writer);
    let child = command.spawn()?;
    // It holds the end of the pipe that is written to.
    drop(command);
    ended(child.wait_with_output(), &format!("{args:?}")).await
}

/// Runs a script of `bash` in a folder, to its end or the first command that fails. `linesman` is the command under test.
///
/// # Errors
/// It cannot be run, does not end, or prints what is no text.
pub async fn run_script(folder: &Path, script: &str) -> anyhow::Result<Ended> {
    let bin = folder.join("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin)?;
        std::os::unix::fs::symlink(binary()?, bin.join("linesman"))?;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = command(Path::new("bash"), &["-e", "-u", "-o", "pipefail", "-c", script]);
    command.current_dir(folder).env("PATH", format!("{}:{path}", bin.display()));
    end(command, &format!("`{script}`")).await
}

async fn end(mut command: Command, what: &str) -> anyhow::Result<Ended> {
    ended(command.output(), what).await
}

async fn ended(output: impl Future<Output = io::Result<Output>>, what: &str) -> anyhow::Result<Ended> {
    let output = timeout(PATIENCE, output).await.with_context(|| format!("{what} does not end"))??;
    Ok(Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// A command that runs until it is interrupted or done.
pub struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts a command.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(args: &[&str]) -> anyhow::Result<Self> {
        Self::start_program(&binary()?, args)
    }

    /// Starts another program than the command; killed when dropped.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_program(program: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut child =
            command(program, args).process_group(0).spawn().with_context(|| program.display().to_string())?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let stderr = BufReader::new(child.stderr.take().context("no stderr")?).lines();
        Ok(Self { child, stdout, stderr })
    }

    /// The memory that it and all it has started hold at the moment, in bytes.
    ///
    /// # Errors
    /// It has ended.
    pub fn resident(&self) -> anyhow::Result<u64> {
        resident(self.child.id().context("it has ended")?)
    }

    /// The next line it prints.
    ///
    /// # Errors
    /// There is none.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        timeout(PATIENCE, self.stdout.next_line()).await??.context("it prints no more")
    }

    /// The next line it says beside.
    ///
    /// # Errors
    /// There is none.
    pub async fn remark(&mut self) -> anyhow::Result<String> {
        timeout(PATIENCE, self.stderr.next_line()).await??.context("it says no more")
    }

    /// Interrupts it and what it has started, as a terminal does at Ctrl-C.
    ///
    /// # Errors
    /// It cannot be interrupted.
    pub async fn interrupt(&self) -> anyhow::Result<()> {
        let group = i32::try_from(self.child.id().context("it has ended")?)?;
        Ok(kill_process_group(Pid::from_raw(group).context("no process")?, Signal::INT)?)
    }

    /// Waits until it has ended: its exit code.
    ///
    /// # Errors
    /// It does not end.
    pub async fn ended(mut self) -> anyhow::Result<Option<i32>> {
        Ok(timeout(PATIENCE, self.child.wait()).await??.code())
    }
}

/// What a process and all below it hold, in bytes (proc(5): `VmRSS`, and `children` of each thread).
fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let mut sum = line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended meanwhile.
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            sum += resident(child.parse()?)?;
        }
    }
    Ok(sum)
}
