//! Whom policies are for that an engine does not know: a folder of that name, or a name in `organizations`. They are
//! loaded all the same, for the organization may come; until then they judge nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use linesman_rules::{Code, Diagnostic, Policy, suggest};
use linesman_schemas::OrgName;

use super::PolicyFile;

/// What was found of one file, or of a folder.
#[derive(Debug)]
pub struct Unknown<'a> {
    /// Where it lies.
    pub path: PathBuf,
    /// The file it is about; of a folder the first in it.
    pub file: &'a PolicyFile,
    /// What is to be said.
    pub fault: Diagnostic,
}

/// Finds the organizations that faultless policies are for and that are none of those `known`: each folder once.
pub fn unknown<'a>(files: &'a [PolicyFile], known: &BTreeSet<OrgName>) -> Vec<Unknown<'a>> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for file in files {
        match &file.owner {
            Some(owner) if known.contains(owner) => {}
            Some(owner) => {
                if told.insert(owner) {
                    let path = if file.is_folder { Some(file.path.as_path()) } else { file.path.parent() };
                    let path = path.unwrap_or(&file.path).to_owned();
                    let message =
                        format!("no policy in this folder judges anything: the engine knows no organization `{owner}`");
                    let fault = Diagnostic::of_file(Code::UnknownValue, message, Some(&help(owner, known)));
                    found.push(Unknown { path, file, fault });
                }
            }
            None => {
                let source = file.source.iter().filter(|_| file.faults.is_empty());
                for (owner, mut fault) in source.flat_map(Policy::organizations_of) {
                    if !known.contains(&owner) {
                        fault.message = format!("the engine knows no organization `{owner}`");
                        fault.help = Some(help(&owner, known));
                        found.push(Unknown { path: file.path.clone(), file, fault });
                    }
                }
            }
        }
    }
    found
}

fn help(name: &OrgName, known: &BTreeSet<OrgName>) -> String {
    let near = suggest(name.as_str(), known.iter().map(OrgName::as_str));
    if near.starts_with("did you mean") { near } else { format!("`linesman org set {name}` makes it") }
}

#[cfg(test)]
mod tests {
    use super::super::read_all;
    use super::*;

    #[test]
    fn each_folder_and_each_name_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, header: &str| {
            let text = format!("policy(#{{ on: \"incident.detected\"{header} }});\nfn react(incident, org) {{}}\n");
            std::fs::write(dir.path().join(path), text).unwrap();
        };
        for folder in ["acme", "acmee", "other"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        write("acme/p.rhai", "");
        write("acmee/p.rhai", "");
        write("acmee/q.rhai", "");
        write("all.rhai", "");
        write("some.rhai", ", organizations: [\"acme\", \"acmee\", \"zeta\"]");
        write("faulty.rhai", ", organizations: [\"zeta\"], oops: 1");
        let known: BTreeSet<OrgName> = ["acme", "bolt"].map(|name| name.parse::<OrgName>().unwrap()).into();
        let files = read_all(dir.path()).unwrap().policies;
        let told = unknown(&files, &known).into_iter().map(|unknown| {
            let path = unknown.path.strip_prefix(dir.path()).unwrap().display().to_string();
            let Diagnostic { line, column, message, help, .. } = unknown.fault;
            format!("{path}:{line}:{column}: {message}: {}", help.unwrap())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "acmee:1:1: no policy in this folder judges anything: the engine knows no organization `acmee`: did you mean `acme`?",
                "some.rhai:1:60: the engine knows no organization `acmee`: did you mean `acme`?",
                "some.rhai:1:69: the engine knows no organization `zeta`: `linesman org set zeta` makes it",
            ]
        );
    }
}
