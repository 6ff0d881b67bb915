//! Passwords on the command line: out of a file or asked for without an echo, never among the arguments.

use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use console::Term;

/// How many bytes a password or a key may have.
const SECRET_MOST: u64 = 64 * 1024;

/// A password out of a file (`-`: standard input), or asked for as `what`.
///
/// # Errors
/// The file cannot be read, or there is nobody to ask.
pub(in crate::cli) fn password(file: Option<&Path>, what: &str) -> anyhow::Result<String> {
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

/// A secret out of a file, as it stands there.
///
/// # Errors
/// The file cannot be read, is no text, or has more than [`SECRET_MOST`] bytes.
pub(super) fn file(path: &Path) -> anyhow::Result<String> {
    let unread = || format!("`{}` cannot be read", path.display());
    bounded(File::open(path).with_context(unread)?).with_context(unread)
}

/// No more is read than a secret may have: what has no end is none.
fn bounded(source: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.take(SECRET_MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SECRET_MOST {
        bail!("it has more than {SECRET_MOST} bytes, which is no password and no key");
    }
    String::from_utf8(bytes).context("it is no text")
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = match path == Path::new("-") {
        true => bounded(std::io::stdin()).context("no password comes in")?,
        false => file(path)?,
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_no_secret() {
        let words = |source: &[u8]| bounded(source).map_err(|error| error.to_string());
        assert_eq!(words(b" secret \n").as_deref(), Ok(" secret \n"));
        let most = "x".repeat(64 * 1024);
        assert_eq!(words(most.as_bytes()), Ok(most.clone()));
        let more = Err("it has more than 65536 bytes, which is no password and no key".to_owned());
        assert_eq!(bounded(std::io::repeat(0)).map_err(|error| error.to_string()), more);
        assert_eq!(words(&[0xff]), Err("it is no text".to_owned()));
    }
}
