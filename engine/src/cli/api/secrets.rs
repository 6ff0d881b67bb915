//! Passwords on the command line: out of a file or asked for without an echo, never among the arguments.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use console::Term;

/// A password out of a file (`-`: standard input), or asked for as `what`.
///
/// # Errors
/// The file cannot be read, or there is nobody to ask.
pub(super) fn password(file: Option<&Path>, what: &str) -> anyhow::Result<String> {
    match file {
        Some(file) => read(file),
        None => ask(what),
    }
}

/// A new password: out of a file, or asked for twice.
///
/// # Errors
/// As [`password`]; or what was typed differs.
pub(super) fn new_password(file: Option<&Path>, what: &str) -> anyhow::Result<String> {
    if file.is_some() {
        return password(file, what);
    }
    let new = ask(what)?;
    if ask("once more")? != new {
        bail!("the two are not the same");
    }
    Ok(new)
}

/// A login, asked for.
///
/// # Errors
/// There is nobody to ask.
pub(super) fn login() -> anyhow::Result<String> {
    if !has_somebody() {
        bail!("who logs in? give `--login`");
    }
    let term = Term::stderr();
    term.write_str("login: ")?;
    Ok(term.read_line()?.trim().to_owned())
}

/// Whether there is somebody to ask.
pub(super) fn has_somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("no password comes in")?;
    } else {
        text = std::fs::read_to_string(file)
            .with_context(|| format!("no password can be read from `{}`", file.display()))?;
    }
    // An editor ends the line; a password may begin and end with spaces.
    Ok(text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text)).to_owned())
}

fn ask(what: &str) -> anyhow::Result<String> {
    if !has_somebody() {
        bail!("there is nobody to ask for the {what}: give it in a file");
    }
    let term = Term::stderr();
    term.write_str(&format!("{what}: "))?;
    Ok(term.read_secure_line()?)
}
