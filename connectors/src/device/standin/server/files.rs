//! The files of a stand-in device: SFTP over a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;

use super::host::{Line, Stream};
use super::script::{Fault, FileFault, FileOperation};
use super::{Shared, locked};
use crate::device::files::packet::{Attributes, Reading, VERSION, Writing, flags, kind, split, status};

/// How many entries a packet of a list has.
const ENTRIES: usize = 64;
/// How much of a file a packet has at most, in bytes.
const DATA_MOST: u32 = 64 * 1024;

/// A channel for files.
struct Served {
    shared: Arc<Shared>,
    connection: u64,
    open: BTreeMap<Bytes, Open>,
    last_handle: u32,
}

enum Open {
    List(Vec<(Vec<u8>, Attributes)>),
    File(File),
}

/// Why something fails: the status.
struct Failed(u32);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(match error.kind() {
            ErrorKind::NotFound => status::NO_SUCH_FILE,
            ErrorKind::PermissionDenied => status::PERMISSION_DENIED,
            _ => status::FAILURE,
        })
    }
}

const CUT: Failed = Failed(status::FAILURE);

pub(super) async fn serve(stream: Stream, shared: Arc<Shared>, connection: u64) {
    let (mut read, write) = tokio::io::split(stream);
    let mut line = Line { write, script: Arc::clone(&shared.script) };
    let mut served = Served { shared, connection, open: BTreeMap::new(), last_handle: 0 };
    let mut inbox = BytesMut::new();
    loop {
        match split(&mut inbox) {
            Ok(Some(packet)) => {
                let Some(answer) = served.answer(packet) else { return };
                if line.send(&answer.done()).await.is_err() {
                    return;
                }
            }
            Ok(None) => match read.read_buf(&mut inbox).await {
                Ok(1..) => {}
                _ => return,
            },
            Err(_) => return,
        }
    }
}

impl Served {
    /// The answer to a packet; none where there is nothing to be answered.
    fn answer(&mut self, mut packet: Reading) -> Option<Writing> {
        let kind = packet.byte()?;
        let id = packet.number()?;
        if kind == kind::INIT {
            return Some(Writing::new(kind::VERSION, VERSION));
        }
        Some(self.act(kind, id, &mut packet).unwrap_or_else(|Failed(code)| {
            let said = if code == status::NO_SPACE { "no space" } else { "failed" };
            Writing::new(kind::STATUS, id).number(code).bytes(said.as_bytes()).bytes(b"en")
        }))
    }

    fn act(&mut self, kind: u8, id: u32, packet: &mut Reading) -> Result<Writing, Failed> {
        match kind {
            kind::OPENDIR => {
                self.fails(FileOperation::List)?;
                let list = self.list(&packet.bytes().ok_or(CUT)?)?;
                Ok(Writing::new(kind::HANDLE, id).bytes(&self.opened(Open::List(list))))
            }
            kind::READDIR => self.entries(id, &packet.bytes().ok_or(CUT)?),
            kind::LSTAT => {
                let path = self.path(&packet.bytes().ok_or(CUT)?)?;
                Ok(Writing::new(kind::ATTRS, id).attributes(&attributes(&fs::symlink_metadata(path)?)))
            }
            kind::FSTAT => {
                let handle = packet.bytes().ok_or(CUT)?;
                let Some(Open::File(file)) = self.open.get(&handle) else { return Err(CUT) };
                Ok(Writing::new(kind::ATTRS, id).attributes(&attributes(&file.metadata()?)))
            }
            kind::STAT => {
                let path = self.path(&packet.bytes().ok_or(CUT)?)?;
                Ok(Writing::new(kind::ATTRS, id).attributes(&attributes(&fs::metadata(path)?)))
            }
            kind::REALPATH => {
                let path = real(&packet.bytes().ok_or(CUT)?);
                let answer = Writing::new(kind::NAME, id).number(1);
                Ok(answer.bytes(&path).bytes(b"").attributes(&Attributes::default()))
            }
            kind::OPEN => self.open(id, packet),
            kind::READ => self.read(id, packet),
            kind::WRITE => {
                self.fails(FileOperation::Write)?;
                let (handle, offset) = (packet.bytes().ok_or(CUT)?, packet.long().ok_or(CUT)?);
                let data = packet.bytes().ok_or(CUT)?;
                let Some(Open::File(file)) = self.open.get(&handle) else { return Err(CUT) };
                file.write_all_at(&data, offset)?;
                Err(Failed(status::OK))
            }
            kind::CLOSE => match self.open.remove(&packet.bytes().ok_or(CUT)?) {
                Some(_) => Err(Failed(status::OK)),
                None => Err(CUT),
            },
            kind::REMOVE => {
                let path = self.path(&packet.bytes().ok_or(CUT)?)?;
                self.fails(FileOperation::Remove)?;
                fs::remove_file(&path)?;
                self.shared.did(format!("remove {}", name(&path)));
                Err(Failed(status::OK))
            }
            kind::RENAME => {
                let from = self.path(&packet.bytes().ok_or(CUT)?)?;
                let to = self.path(&packet.bytes().ok_or(CUT)?)?;
                self.fails(FileOperation::Move)?;
                // As OpenSSH's does: it does not replace.
                fs::hard_link(&from, &to)?;
                fs::remove_file(&from)?;
                self.shared.did(format!("move {}", name(&from)));
                Err(Failed(status::OK))
            }
            _ => Err(Failed(status::UNSUPPORTED)),
        }
    }

    fn fails(&self, operation: FileOperation) -> Result<(), Failed> {
        let fault = self.shared.script.once(|fault| match fault {
            Fault::File(of, fault) if *of == operation => Some(*fault),
            _ => None,
        });
        match fault {
            None => Ok(()),
            Some(FileFault::Vanished) => Err(Failed(status::NO_SUCH_FILE)),
            Some(FileFault::Denied) => Err(Failed(status::PERMISSION_DENIED)),
            Some(FileFault::NoSpace) => Err(Failed(status::NO_SPACE)),
            Some(FileFault::Failure) => Err(Failed(status::FAILURE)),
        }
    }

    /// A path of the device in the folder.
    fn path(&self, path: &[u8]) -> Result<PathBuf, Failed> {
        let mut inside = self.shared.setup.root.clone();
        for part in path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")) {
            if part == b".." {
                return Err(Failed(status::PERMISSION_DENIED));
            }
            inside.push(OsStr::from_bytes(part));
        }
        Ok(inside)
    }

    fn opened(&mut self, open: Open) -> Bytes {
        self.last_handle += 1;
        // As OpenSSH's: bytes that are no text.
        let handle = Bytes::copy_from_slice(&(0xff00_0000 | self.last_handle).to_be_bytes());
        self.open.insert(handle.clone(), open);
        handle
    }

    fn list(&self, directory: &[u8]) -> Result<Vec<(Vec<u8>, Attributes)>, Failed> {
        let strange = self.shared.script.standing(|fault| match fault {
            Fault::Names(names) => Some(names.clone()),
            _ => None,
        });
        let regular = Attributes { size: Some(1), owners: None, permissions: Some(0o100_644), modified_s: Some(0) };
        let mut list = vec![(b".".to_vec(), Attributes::default()), (b"..".to_vec(), Attributes::default())];
        // Before those that are there: what is looked for may lie behind many others.
        list.extend(strange.unwrap_or_default().into_iter().map(|name| (name, regular)));
        for entry in fs::read_dir(self.path(directory)?)? {
            let entry = entry?;
            // What is removed meanwhile is not there.
            if let Ok(metadata) = fs::symlink_metadata(entry.path()) {
                list.push((entry.file_name().as_bytes().to_vec(), attributes(&metadata)));
            }
        }
        Ok(list)
    }

    fn entries(&mut self, id: u32, handle: &Bytes) -> Result<Writing, Failed> {
        let Some(Open::List(list)) = self.open.get_mut(handle) else { return Err(CUT) };
        if list.is_empty() {
            return Err(Failed(status::END));
        }
        let rest = list.split_off(list.len().min(ENTRIES));
        let now = std::mem::replace(list, rest);
        let mut answer = Writing::new(kind::NAME, id).number(u32::try_from(now.len()).unwrap_or(0));
        for (name, attributes) in now {
            answer = answer.bytes(&name).bytes(b"").attributes(&attributes);
        }
        Ok(answer)
    }

    fn open(&mut self, id: u32, packet: &mut Reading) -> Result<Writing, Failed> {
        let path = self.path(&packet.bytes().ok_or(CUT)?)?;
        self.fails(FileOperation::Open)?;
        let wanted = packet.number().ok_or(CUT)?;
        let has = |flag| wanted & flag != 0;
        let file = OpenOptions::new()
            .read(has(flags::READ))
            .write(has(flags::WRITE))
            .create(has(flags::CREATE))
            .truncate(has(flags::TRUNCATE))
            .open(&path)?;
        self.shared.did(format!("open {}", name(&path)));
        Ok(Writing::new(kind::HANDLE, id).bytes(&self.opened(Open::File(file))))
    }

    fn read(&mut self, id: u32, packet: &mut Reading) -> Result<Writing, Failed> {
        self.fails(FileOperation::Read)?;
        let (handle, offset) = (packet.bytes().ok_or(CUT)?, packet.long().ok_or(CUT)?);
        let len = packet.number().ok_or(CUT)?.min(DATA_MOST);
        let Some(Open::File(file)) = self.open.get(&handle) else { return Err(CUT) };
        let rewritten = self.shared.script.once(|fault| match fault {
            Fault::Rewrite { after, path, bytes } if offset.saturating_add(u64::from(len)) > *after => {
                Some((path.clone(), bytes.clone()))
            }
            _ => None,
        });
        if let Some((path, bytes)) = rewritten {
            fs::write(path, bytes)?;
        }
        let mut data = vec![0; len as usize];
        let read = file.read_at(&mut data, offset)?;
        let is_cut = self.shared.script.once(|fault| match fault {
            Fault::CutFile(after) if offset.saturating_add(read as u64) > *after => Some(()),
            _ => None,
        });
        if is_cut.is_some() {
            locked(&self.shared.connections).remove(&self.connection);
            return Err(CUT);
        }
        match data.get(..read) {
            Some(data) if !data.is_empty() => Ok(Writing::new(kind::DATA, id).bytes(data)),
            _ => Err(Failed(status::END)),
        }
    }
}

/// A path from the root on, which is also where everybody begins.
fn real(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    [b"/", parts.join(&b'/').as_slice()].concat()
}

fn attributes(metadata: &Metadata) -> Attributes {
    Attributes {
        size: Some(metadata.len()),
        owners: Some(u64::from(metadata.uid()) << 32 | u64::from(metadata.gid())),
        permissions: Some(metadata.mode()),
        modified_s: Some(u32::try_from(metadata.mtime()).unwrap_or(0)),
    }
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
