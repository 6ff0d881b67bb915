//! The session that `linesman login` keeps for the commands behind it: a file that only its user reads.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::data_dir::private;

/// A session, and where it is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The API.
    pub(super) api: String,
    /// The authority of its certificate; none: the system's count.
    pub(super) ca: Option<PathBuf>,
    /// Who logged in.
    pub(super) login: String,
    /// What its requests bear.
    pub(super) token: String,
}

/// Where it is kept: where it is said, or in the user's folder of state.
///
/// # Errors
/// There is no such folder.
pub(super) fn path(said: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(said) = said {
        return Ok(said.to_owned());
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    let state = state.context("where is the session to be kept? give `--session-file`")?;
    Ok(state.join("linesman/session.json"))
}

impl Kept {
    /// The one that is kept there; none where nobody is logged in.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        };
        let help = || format!("`{}` holds no session: remove it, and log in again", path.display());
        serde_json::from_slice(&text).map(Some).with_context(help)
    }

    /// Keeps it there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let failed = || format!("the session cannot be kept in `{}`", path.display());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
            private::create_dir(folder).with_context(failed)?;
        }
        private::write(path, &serde_json::to_vec_pretty(self)?).with_context(failed)
    }
}

/// Forgets what is kept there.
///
/// # Errors
/// The file cannot be removed.
pub(super) fn forget(path: &Path) -> anyhow::Result<()> {
    private::remove(path).with_context(|| format!("`{}` cannot be removed", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_session_is_kept_where_only_its_user_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/session.json");
        assert_eq!(Kept::read(&path).unwrap(), None);
        let kept = Kept {
            api: "https://127.0.0.1:8443".to_owned(),
            ca: Some("/d/tls/ca.pem".into()),
            login: "acme/ann".to_owned(),
            token: "lms_abc".to_owned(),
        };
        kept.write(&path).unwrap();
        assert_eq!(Kept::read(&path).unwrap(), Some(kept));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        forget(&path).unwrap();
        forget(&path).unwrap();
        assert_eq!(Kept::read(&path).unwrap(), None);
        std::fs::write(&path, "{").unwrap();
        assert!(Kept::read(&path).unwrap_err().to_string().contains("holds no session"));
    }
}
