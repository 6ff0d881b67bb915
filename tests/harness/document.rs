//! The code blocks of the project's documents.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The shell commands of a document, block by block.
///
/// # Errors
/// There are none.
pub fn scripts(document: &str) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(root().join(document)).with_context(|| document.to_owned())?;
    let blocks = text.split("\n```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned()));
    let found: Vec<String> = blocks.collect();
    anyhow::ensure!(!found.is_empty(), "`{document}` has no commands");
    Ok(found)
}

/// The one code block of a document that is in this language and begins with `start`.
///
/// # Errors
/// There is none, or more than one.
pub fn block(document: &str, language: &str, start: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(root().join(document)).with_context(|| document.to_owned())?;
    let opening = format!("\n```{language}\n{start}");
    let mut found = text.split(&opening).skip(1);
    let block = found.next().with_context(|| format!("`{document}` has no {language} block `{start}`"))?;
    anyhow::ensure!(found.next().is_none(), "`{document}` has two {language} blocks `{start}`");
    let (block, _) = block.split_once("\n```").context("a block without an end")?;
    Ok(format!("{start}{block}\n"))
}
