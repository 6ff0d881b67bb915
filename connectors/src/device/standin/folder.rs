//! The folders of stand-in devices: what they hold, what was done, and what is to go wrong.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::{Configure, Device, GroupChange};
use serde::{Deserialize, Serialize};

use crate::device::failure;

/// How many groups a device takes.
const GROUPS_MOST: usize = 20_000;
/// How many reactions a device remembers as done; the file has up to twice as many.
const DONE_MOST: usize = 1024;
/// The longest file that is read back, in bytes: a group with its text, a list of what was done, a fault.
const FILE_MOST: u64 = 2 * 1024 * 1024;
/// Of how many devices is known in memory what they did; all of it stands in their folders.
const KNOWN_MOST: usize = 1024;

const ENDING: &str = ".conf";
const DONE: &str = "done.log";
const FAULT: &str = "fault.json";

/// What goes wrong at a device: `fault.json` in its folder. Without the file nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The class of the failure it answers with.
    pub class: FailureClass,
    /// What it says.
    pub message: String,
    /// How long it asks to be left alone, in seconds.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
    /// It does the work all the same: only the answer is lost.
    #[serde(default)]
    pub does_work: bool,
    /// For how many tries more; without it until the file is gone.
    #[serde(default)]
    pub times: Option<u32>,
}

/// All devices.
#[derive(Debug)]
pub(super) struct Folders {
    dir: PathBuf,
    known: BTreeMap<PathBuf, Known>,
}

/// What a device did.
#[derive(Debug, Default)]
struct Known {
    groups: usize,
    done: BTreeSet<String>,
    /// The same in the order in which they were done.
    order: VecDeque<String>,
    /// How many lines the file has.
    lines: usize,
}

impl Folders {
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir, known: BTreeMap::new() }
    }

    /// What a change comes to: the lines that the group has, and those that it is to have; nothing where these are the same.
    pub(super) fn compared(&self, configure: &Configure) -> String {
        let path =
            folder(&self.dir, &configure.device).map(|folder| folder.join(format!("{}{ENDING}", configure.group)));
        let has = path.and_then(|path| read(&path).ok().flatten()).unwrap_or_default();
        let gets = match &configure.change {
            GroupChange::Put { text } => text.as_str(),
            GroupChange::Remove => "",
        };
        if has == gets {
            return String::new();
        }
        let marked = |mark: &'static str, text: &str| -> String {
            text.lines().map(|line| format!("{mark}  {line}\n")).collect()
        };
        marked("-", &has) + &marked("+", gets)
    }

    /// Changes a group, if the reaction was not done before and nothing goes wrong.
    pub(super) fn change(&mut self, id: &ReactionId, configure: &Configure) -> Result<(), Failure> {
        let folder = folder(&self.dir, &configure.device)
            .ok_or_else(|| failure(FailureClass::Refused, "the serial number is too long".to_owned()))?;
        self.try_change(&folder, id, configure).unwrap_or_else(|error| {
            // What stands in the folder may be anything now: it is read again.
            self.known.remove(&folder);
            Err(failure(FailureClass::Unavailable, format!("the stand-in device cannot use its folder: {error}")))
        })
    }

    fn try_change(&mut self, folder: &Path, id: &ReactionId, configure: &Configure) -> io::Result<Result<(), Failure>> {
        self.rename(folder, &configure.device)?;
        fs::create_dir_all(folder)?;
        let fault = fault(folder)?;
        if let Some(fault) = fault.as_ref().filter(|fault| !fault.does_work) {
            return Ok(Err(failed(fault)));
        }
        if self.known.len() >= KNOWN_MOST && !self.known.contains_key(folder) {
            self.known.clear();
        }
        let known = match self.known.entry(folder.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Known::read(folder)?),
        };
        if !known.done.contains(id.as_str()) {
            if let Err(refused) = known.change(folder, configure)? {
                return Ok(Err(refused));
            }
            // IMPORTANT: behind the change. Broken off between them, it is asked for and done again.
            known.add(folder, id)?;
        }
        Ok(fault.map_or(Ok(()), |fault| Err(failed(&fault))))
    }
}

impl Folders {
    /// A device that was known by its host name alone goes by its serial number from then on: what it has stays with it.
    fn rename(&mut self, folder: &Path, device: &Device) -> io::Result<()> {
        let Some(host_name) = device.host_name.clone() else { return Ok(()) };
        let before = Device { serial_number: host_name, ..device.clone() };
        let Some(before) = self::folder(&self.dir, &before).filter(|before| before != folder) else { return Ok(()) };
        if folder.try_exists()? || !before.try_exists()? {
            return Ok(());
        }
        self.known.remove(&before);
        fs::rename(&before, folder)
    }
}

impl Known {
    fn read(folder: &Path) -> io::Result<Self> {
        let mut known = Self { groups: groups(folder)?.len(), ..Self::default() };
        for id in read(&folder.join(DONE))?.unwrap_or_default().lines() {
            known.lines += 1;
            known.remember(id.to_owned());
        }
        Ok(known)
    }

    fn change(&mut self, folder: &Path, configure: &Configure) -> io::Result<Result<(), Failure>> {
        let path = folder.join(format!("{}{ENDING}", configure.group));
        match &configure.change {
            GroupChange::Put { text } => {
                let is_new = !path.try_exists()?;
                if is_new && self.groups >= GROUPS_MOST {
                    let message = format!("there are {GROUPS_MOST} groups, and no room for more");
                    return Ok(Err(failure(FailureClass::Refused, message)));
                }
                replace(&path, text)?;
                self.groups += usize::from(is_new);
            }
            GroupChange::Remove => match fs::remove_file(&path) {
                Ok(()) => self.groups = self.groups.saturating_sub(1),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            },
        }
        Ok(Ok(()))
    }

    fn remember(&mut self, id: String) {
        if self.done.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > DONE_MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
    }

    fn add(&mut self, folder: &Path, id: &ReactionId) -> io::Result<()> {
        self.remember(id.as_str().to_owned());
        let path = folder.join(DONE);
        if self.lines < 2 * DONE_MOST {
            self.lines += 1;
            return OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{id}\n").as_bytes());
        }
        self.lines = self.order.len();
        replace(&path, &self.order.iter().map(|id| format!("{id}\n")).collect::<String>())
    }
}

fn failed(fault: &Fault) -> Failure {
    Failure { class: fault.class, message: fault.message.clone(), retry_after_s: fault.retry_after_s, cause: None }
}

/// A device's folder; none where its serial number is too long for a peer's.
fn folder(dir: &Path, device: &Device) -> Option<PathBuf> {
    let peer = device.peer()?;
    let (organization, serial_number) = peer.as_str().split_once('.')?;
    // One that is empty or of dots alone would be another folder; `peer` spells dots otherwise.
    (!serial_number.is_empty()).then(|| dir.join(organization).join(serial_number))
}

/// What is to go wrong with this try, which counts.
fn fault(folder: &Path) -> io::Result<Option<Fault>> {
    let path = folder.join(FAULT);
    let Some(text) = read(&path)? else { return Ok(None) };
    let mut fault: Fault = serde_json::from_str(&text)?;
    match &mut fault.times {
        None => {}
        Some(0 | 1) => fs::remove_file(&path)?,
        Some(times) => {
            *times -= 1;
            replace(&path, &serde_json::to_string(&fault)?)?;
        }
    }
    Ok(Some(fault).filter(|fault| fault.times != Some(0)))
}

/// The names of a device's groups, in their order.
fn groups(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// What a device holds, as its configuration: its groups by name, and that they are applied. The same groups are the
/// same text, in whatever order they came; a device that has none is an empty text.
///
/// # Errors
/// The folder cannot be read.
pub fn configuration(dir: &Path, device: &Device) -> io::Result<String> {
    let Some(folder) = folder(dir, device) else { return Ok(String::new()) };
    let names = groups(&folder)?;
    if names.is_empty() {
        return Ok(String::new());
    }
    let mut text = "groups {\n".to_owned();
    for name in &names {
        let statements = read(&folder.join(format!("{name}{ENDING}")))?.unwrap_or_default();
        text += &format!("    {name} {{\n");
        for line in statements.lines() {
            text += &format!("        {line}\n");
        }
        text += "    }\n";
    }
    text += &format!("}}\napply-groups [ {} ];\n", names.join(" "));
    Ok(text)
}

/// A file's text; none where it is not there.
fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut text = String::new();
    file.take(FILE_MOST).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Replaces a file as a whole: whoever reads meanwhile finds the one before or the one after.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_added_extension("new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}
