//! `linesman case files` and `linesman case export`: what belongs to cases, as files of whoever asks.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::show::{self, Column, column};
use super::{Api, segment};
use crate::cli::output;
use crate::harmless::in_line;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("NUMBER", "/number"),
    column("KIND", "/kind"),
    column("SIZE", "/size"),
    column("CAME", "/came"),
    column("KEPT", "/kept"),
    column("NAME", "/name").name(),
];
/// How long an answer may take.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// What stands for the standard output.
const STANDARD_OUTPUT: &str = "-";

/// Which files of a case.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Files {
    /// The incident's id
    incident: String,
    /// Fetch one: its number, or its name where no other has it
    #[arg(long, value_name = "NAME", requires = "out")]
    get: Option<String>,
    /// Where it is written to, whatever it is called; `-` for the standard output
    #[arg(long, value_name = "FILE", requires = "get")]
    out: Option<PathBuf>,
}

/// Whose cases are exported, and where to.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// The organization
    organization: String,
    /// The archive, a tar; `-` for the standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Lists the files of a case, or fetches one.
pub(super) async fn files(api: &Api, files: &Files) -> anyhow::Result<()> {
    let path = format!("/api/v1/cases/{}/files", segment(&files.incident));
    let list = api.get(&path, &()).await?;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let (Some(wanted), Some(out)) = (&files.get, &files.out) else {
        if api.is_json {
            items.iter().for_each(|item| outln!("{item}"));
        } else {
            out!("{}", show::table(&items, &COLUMNS, api.room()));
        }
        return Ok(());
    };
    fetch(api, &format!("{path}/{}", number(&items, wanted)?), out).await
}

/// Writes an archive of what may leave of an organization's cases.
pub(super) async fn export(api: &Api, export: &Export) -> anyhow::Result<()> {
    fetch(api, &format!("/api/v1/organizations/{}/export", segment(&export.organization)), &export.out).await
}

/// The number of the file that is wanted.
fn number(items: &[Value], wanted: &str) -> anyhow::Result<u64> {
    let number = |item: &Value| item.get("number").and_then(Value::as_u64);
    if let Some(found) = items.iter().filter_map(number).find(|number| number.to_string() == wanted) {
        return Ok(found);
    }
    let named: Vec<_> = items.iter().filter(|item| item.get("name").is_some_and(|name| name == wanted)).collect();
    match (named.as_slice(), named.first().and_then(|item| number(item))) {
        ([_], Some(found)) => Ok(found),
        ([], _) => bail!("the case has no file `{}`; without `--get` they are listed", in_line(wanted)),
        _ => bail!("several files of the case are called so: give the number of one"),
    }
}

/// Writes an answer as it comes: nowhere else than to `out`, which has it whole or stays as it is.
async fn fetch(api: &Api, path: &str, out: &Path) -> anyhow::Result<()> {
    let mut answer = api.received(api.request(Method::GET, path).timeout(MOST)).await?;
    let unwritten = || format!("`{}` cannot be written", out.display());
    let mut file = match out {
        out if out == Path::new(STANDARD_OUTPUT) => None,
        out => Some(Out::new(out).with_context(unwritten)?),
    };
    while let Some(part) = answer.chunk().await.context("the answer broke off: what came is not all")? {
        match &mut file {
            Some(out) => out.file().write_all(&part).with_context(unwritten)?,
            None => output::bytes(&part)?,
        }
    }
    file.map_or(Ok(()), |file| file.keep(out)).with_context(unwritten)
}

/// Where an answer goes.
enum Out {
    /// A file beside the one that it becomes. What belongs to a customer is for whoever fetches it alone.
    Beside(NamedTempFile),
    /// What is no file and takes what it is given, such as a pipe or a device.
    There(File),
}

impl Out {
    fn new(path: &Path) -> io::Result<Self> {
        let is_other = std::fs::metadata(path).is_ok_and(|found| !found.is_file());
        if is_other {
            return OpenOptions::new().write(true).open(path).map(Self::There);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        NamedTempFile::new_in(folder).map(Self::Beside)
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Beside(file) => file.as_file_mut(),
            Self::There(file) => file,
        }
    }

    /// It takes its place.
    fn keep(self, path: &Path) -> io::Result<()> {
        let Self::Beside(file) = self else { return Ok(()) };
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_is_found_by_its_number_or_by_a_name_that_no_other_has() {
        let items = [
            json!({"number": 0, "name": "acme-1.xml"}),
            json!({"number": 1, "name": "rsi.txt"}),
            json!({"number": 2, "name": "rsi.txt"}),
            json!({"number": 3, "name": "0"}),
        ];
        let said = |wanted: &str| number(&items, wanted).map_err(|error| error.to_string());
        assert_eq!((said("2"), said("acme-1.xml"), said("0")), (Ok(2), Ok(0), Ok(0)));
        assert_eq!(said("rsi.txt"), Err("several files of the case are called so: give the number of one".to_owned()));
        let nothing = "the case has no file `../x`; without `--get` they are listed".to_owned();
        assert_eq!(said("../x"), Err(nothing));
    }
}
