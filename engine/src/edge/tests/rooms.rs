//! Who knows whom: the transport nobody, and the handlers nobody but the routes.

use std::fs;
use std::path::{Path, PathBuf};

/// The edge's sources, without its tests: paths from here, and texts.
fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    files.retain(|(path, _)| !path.starts_with("tests"));
    files
}

fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("use ") || line.starts_with("pub(super) use "))
}

#[test]
fn the_transport_knows_nothing_of_what_is_told() {
    const ITS_OWN: [&str; 6] = ["arrival", "json", "open_files", "params", "problem", "seats"];
    let mut seen = 0;
    for (path, text) in files() {
        if path.starts_with("transport") {
            for import in imports(&text) {
                let own = import.strip_prefix("use super::").map(|rest| rest.split(':').next().unwrap());
                assert!(own.is_none_or(|name| ITS_OWN.contains(&name)), "{}: {import}", path.display());
                assert!(!import.contains("crate::"), "{}: {import}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20);
}

#[test]
fn nobody_but_the_routes_knows_the_handlers() {
    let files = files();
    let is_handler = |path: &Path| files.iter().any(|(file, text)| file == path && text.contains("#[utoipa::path("));
    assert!(files.iter().filter(|(path, _)| is_handler(path)).count() > 12);
    for (path, text) in &files {
        let is_list = path.as_path() == Path::new("routes.rs");
        for import in imports(text).filter(|_| !is_list) {
            assert!(!import.contains("routes::"), "{}: {import}", path.display());
            let named = import.trim_end_matches(';').trim_start_matches("use ");
            for root in ["crate::edge::", "super::"] {
                let Some(rest) = named.strip_prefix(root) else { continue };
                let steps: Vec<&str> = rest.split("::").take_while(|step| !step.starts_with('{')).collect();
                // From a file in a folder `super` is the folder's own, which a handler may know.
                let base = if root == "super::" { path.parent().unwrap() } else { Path::new("") };
                let base = if path.ends_with("mod.rs") && root == "super::" { base.parent().unwrap() } else { base };
                for end in 1..=steps.len() {
                    let module = steps[..end].iter().fold(base.to_owned(), |path, step| path.join(step));
                    for file in [module.with_extension("rs"), module.join("mod.rs")] {
                        assert!(!is_handler(&file), "{}: {import}", path.display());
                    }
                }
            }
        }
    }
}
