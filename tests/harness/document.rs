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

/// A piece of a document that is no prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A fenced block: its language, and its text.
    Fenced(String, String),
    /// An indented block, line by line.
    Indented(Vec<String>),
}

/// The documents of the project: its first one, and all in `docs`.
///
/// # Errors
/// They cannot be found.
pub fn documents() -> anyhow::Result<Vec<String>> {
    let mut names = vec!["README.md".to_owned()];
    for entry in std::fs::read_dir(root().join("docs"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    Ok(names)
}

/// The pieces of a document, in their order.
///
/// # Errors
/// It cannot be read, or a block has no end.
pub fn pieces(document: &str) -> anyhow::Result<Vec<Piece>> {
    let text = std::fs::read_to_string(root().join(document)).with_context(|| document.to_owned())?;
    let (mut found, mut lines) = (Vec::new(), text.lines());
    let mut is_after_blank = true;
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(Piece::Fenced(language.to_owned(), block.join("\n") + "\n"));
        } else if let Some(code) = line.strip_prefix("    ") {
            match found.last_mut() {
                Some(Piece::Indented(block)) if !is_after_blank => block.push(code.to_owned()),
                _ if is_after_blank => found.push(Piece::Indented(vec![code.to_owned()])),
                // A paragraph that goes on.
                _ => {}
            }
        }
        is_after_blank = line.is_empty();
    }
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
