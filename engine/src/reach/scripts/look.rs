//! What would change on a device: each script that it is to have, or has of ours, beside what lies there.

use linesman_connectors::device::files::Error;
use linesman_connectors::device::scripts::{Place, Scripts};
use linesman_domain::scripts::{FileRow, ScriptBundleRow};
use linesman_schemas::scripts::{ChangedScript, ScriptChange, ScriptKind};

use super::Bundle;

/// What would become of what lies at a script's place. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing is there.
    New,
    /// It is there already.
    Same,
    /// What is there is ours, of another version.
    Replaced,
    /// What is there is somebody else's, and goes.
    Overwritten,
    /// It is ours, and goes.
    Removed,
    /// It was ours, somebody has changed it, and it stays.
    Left,
}

impl Change {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Replaced => "replaced",
            Self::Overwritten => "overwritten",
            Self::Removed => "removed",
            Self::Left => "left",
        }
    }
}

/// A script's place, and what would become of what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) kind: ScriptKind,
    pub(super) name: String,
    pub(super) change: Change,
    /// The SHA-256 of what is there; none for nothing.
    pub(super) found: Option<String>,
}

impl Looked {
    pub(super) fn place(&self) -> Place {
        place(self.kind, &self.name)
    }

    /// What becomes of it; none where it is there already.
    pub(super) fn changed(&self) -> Option<ChangedScript> {
        let change = match self.change {
            Change::Same => return None,
            Change::New => ScriptChange::New,
            Change::Replaced => ScriptChange::Replaced,
            Change::Overwritten => ScriptChange::Overwritten,
            Change::Removed => ScriptChange::Removed,
            Change::Left => ScriptChange::Left,
        };
        Some(ChangedScript { kind: self.kind, name: self.name.clone(), change, found: self.found.clone() })
    }
}

fn place(kind: ScriptKind, name: &str) -> Place {
    Place { directory: kind.directory(), name: name.to_owned() }
}

/// Looks at all places.
pub(super) async fn look(
    scripts: &mut Scripts<'_>,
    wanted: Option<&Bundle>,
    had: Option<&Bundle>,
) -> Result<Vec<Looked>, Error> {
    let mut all = Vec::new();
    let ours = |file: &FileRow| had.and_then(|had| named(&had.bundle, file)).map(|file| file.sha256.as_str());
    for file in wanted.into_iter().flat_map(|wanted| &wanted.bundle.files) {
        let found = scripts.found(&place(file.kind, &file.name)).await?;
        let change = match found.as_deref() {
            None => Change::New,
            Some(sha256) if sha256 == file.sha256 => Change::Same,
            there if there == ours(file) => Change::Replaced,
            Some(_) => Change::Overwritten,
        };
        all.push(Looked { kind: file.kind, name: file.name.clone(), change, found });
    }
    for file in had.into_iter().flat_map(|had| &had.bundle.files) {
        if wanted.is_some_and(|wanted| named(&wanted.bundle, file).is_some()) {
            continue;
        }
        let Some(found) = scripts.found(&place(file.kind, &file.name)).await? else { continue };
        let change = if found == file.sha256 { Change::Removed } else { Change::Left };
        all.push(Looked { kind: file.kind, name: file.name.clone(), change, found: Some(found) });
    }
    Ok(all)
}

/// The script of a bundle that lies where `file` does.
fn named<'a>(bundle: &'a ScriptBundleRow, file: &FileRow) -> Option<&'a FileRow> {
    bundle.files.iter().find(|known| known.kind == file.kind && known.name == file.name)
}
