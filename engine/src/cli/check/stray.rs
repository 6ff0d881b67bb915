//! Files of a rule directory that the engine passes over though they look like policies.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use linesman_rules::{Code, Diagnostic};
use linesman_schemas::OrgName;

use super::Failure;

/// What stands in the way.
enum Stray {
    /// The name ends in nearly the right letters.
    Extension,
    /// It lies in a folder of a folder.
    Depth,
    /// It is a link that leads nowhere.
    Link,
}

/// Finds them, each with what is to be said of it.
///
/// # Errors
/// The directory cannot be read.
pub(super) fn find(dir: &Path) -> Result<Vec<(PathBuf, Diagnostic)>, Failure> {
    let mut found = Vec::new();
    for path in entries(dir)? {
        look_at(&path, 1, &mut found);
        if !path.is_dir() {
            continue;
        }
        let is_owned = path.file_name().is_some_and(|name| name.to_string_lossy().parse::<OrgName>().is_ok());
        for path in readable(&path, !is_owned, &mut found) {
            look_at(&path, 2, &mut found);
            if path.is_dir() {
                readable(&path, true, &mut found).iter().for_each(|path| look_at(path, 3, &mut found));
            }
        }
    }
    Ok(found)
}

/// What lies in a folder; that it cannot be read is told here unless it is the fault of an organization's folder.
fn readable(path: &Path, is_told: bool, found: &mut Vec<(PathBuf, Diagnostic)>) -> Vec<PathBuf> {
    entries(path).unwrap_or_else(|_| {
        if is_told {
            let fault = Diagnostic::of_file(Code::File, "the folder is passed over: it cannot be read", None);
            found.push((path.to_owned(), fault));
        }
        Vec::new()
    })
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fault = |error: std::io::Error| {
        anyhow::Error::from(error).context(format!("the folder `{}` cannot be read", dir.display()))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn look_at(path: &Path, depth: usize, found: &mut Vec<(PathBuf, Diagnostic)>) {
    let Some(stray) = stray(path, depth) else { return };
    let (message, help) = match stray {
        Stray::Extension => {
            ("the file is passed over: its name does not end in `.rhai`", "rename it, if it is a policy")
        }
        Stray::Depth => (
            "the file is passed over: it lies too deep",
            "policies lie in the rule directory, or in a folder of an organization's name",
        ),
        Stray::Link => ("the file is passed over: the link leads nowhere", "remove it, or let it lead to a policy"),
    };
    found.push((path.to_owned(), Diagnostic::of_file(Code::File, message, Some(help))));
}

fn stray(path: &Path, depth: usize) -> Option<Stray> {
    let extension = path.extension()?.to_string_lossy().into_owned();
    let is_policy = extension == "rhai";
    if is_policy && std::fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Some(Stray::Link);
    }
    if !path.is_file() {
        return None;
    }
    match is_policy {
        true => (depth > 2).then_some(Stray::Depth),
        // The right letters in another order or size, or all but one of them.
        false => resembles(&extension.to_lowercase()).then_some(Stray::Extension),
    }
}

fn resembles(extension: &str) -> bool {
    matches!(extension, "rhai" | "rhia" | "rahi" | "hrai" | "rai" | "rha" | "rhi" | "rhaii" | "rhay")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_policy_is_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("acme/deep")).unwrap();
        for path in ["a.rhai", "b.RHAI", "c.txt", "acme/d.rhai", "acme/e.rhia", "acme/deep/f.rhai", ".g.rhia"] {
            std::fs::write(dir.path().join(path), "").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", dir.path().join("h.rhai")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("acme/round")).unwrap();
        let found = find(dir.path()).unwrap_or_else(|_| panic!("the folders can be read"));
        let mut names: Vec<String> = found
            .iter()
            .map(|(path, fault)| format!("{}: {}", path.strip_prefix(dir.path()).unwrap().display(), fault.message))
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "acme/deep/f.rhai: the file is passed over: it lies too deep",
                "acme/e.rhia: the file is passed over: its name does not end in `.rhai`",
                "acme/round/a.rhai: the file is passed over: it lies too deep",
                "acme/round/b.RHAI: the file is passed over: its name does not end in `.rhai`",
                "acme/round/h.rhai: the file is passed over: the link leads nowhere",
                "b.RHAI: the file is passed over: its name does not end in `.rhai`",
                "h.rhai: the file is passed over: the link leads nowhere",
            ]
        );
    }
}
