//! What the commands tell, each in a file of its own: of it nothing lies in memory but what is on its way.

use std::path::{Path, PathBuf};

use linesman_schemas::gathering::FAILURES_MOST;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::Ended;
use super::talk::{Talk, Told};
use crate::data_dir::private;

/// The status of an attachment whose command was carried out.
pub(super) const OK: &str = "ok";
/// The status of one whose command was not.
pub(super) const FAILED: &str = "failed";

/// What the commands have told so far. Dropped, the files are gone.
pub(super) struct Outputs {
    folder: PathBuf,
    most: u64,
    bytes: u64,
    pub(super) all: Vec<Output>,
}

/// What one command has told.
pub(super) struct Output {
    /// The command.
    pub(super) command: String,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// How many bytes that are.
    pub(super) bytes: u64,
    /// Why the device has not carried it out.
    pub(super) error: Option<String>,
}

impl Outputs {
    /// Makes a folder for them; all together they may have `most` bytes.
    pub(super) async fn new(parent: &Path, name: &str, most: u64) -> Result<Self, Ended> {
        let unique = private::random_hex::<8>().map_err(|error| unkept(&error))?;
        let folder = parent.join(format!("{name}-{unique}"));
        let made = private::create_dir(parent).and_then(|()| private::create_dir(&folder));
        made.map_err(|error| unkept(&error))?;
        Ok(Self { folder, most, bytes: 0, all: Vec::new() })
    }

    /// Where a file of them lies.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How many commands the device has not carried out.
    pub(super) fn failed(&self) -> usize {
        self.all.iter().filter(|output| output.error.is_some()).count()
    }

    /// Why it has not carried out the first ones of these.
    pub(super) fn failures(&self) -> Vec<String> {
        let failed = self.all.iter().filter_map(|output| Some((&output.command, output.error.as_ref()?)));
        failed.map(|(command, error)| format!("`{command}`: {error}")).take(FAILURES_MOST).collect()
    }

    /// Runs a command.
    pub(super) async fn run(&mut self, talk: &mut Talk<'_>, command: &str) -> Result<(), Ended> {
        let path = self.path(&format!("{:02}", self.all.len()));
        let mut file = File::create(&path).await.map_err(|error| unkept(&error))?;
        let told = talk.run(command, &mut file, self.most - self.bytes).await;
        let flushed = file.flush().await;
        let error = match told {
            Told::Done => None,
            Told::Refused(error) => Some(error),
            Told::TooMuch => {
                let most = self.most;
                return Err(Ended::Failed(format!(
                    "with `{command}` it tells more than {most} bytes, which a bundle may have"
                )));
            }
            Told::Unkept(error) => return Err(unkept(&error)),
        };
        flushed.map_err(|error| unkept(&error))?;
        let bytes = file.metadata().await.map_err(|error| unkept(&error))?.len();
        self.bytes += bytes;
        self.all.push(Output { command: command.to_owned(), path, bytes, error });
        Ok(())
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        // What stays is removed with the next start.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// That the engine has no room for what a device tells.
pub(super) fn unkept(error: &std::io::Error) -> Ended {
    Ended::Failed(format!("the engine cannot keep what it tells: {error}"))
}
