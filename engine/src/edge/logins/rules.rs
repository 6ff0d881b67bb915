//! What a password must be: long enough, in characters that can be typed, and none that everybody thinks of. Nothing else
//! is asked of it.

/// How many characters it has at least.
const LEAST_CHARACTERS: usize = 12;
/// How many bytes it has at most: more is no password, but work for the hasher.
const MOST_BYTES: usize = 1024;
/// The commonest of at least [`LEAST_CHARACTERS`], in lower case, a line each, in the order of their bytes.
const COMMONEST: &str = include_str!("commonest.txt");

/// Why a password cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// Too few characters.
    #[error("a password has at least {LEAST_CHARACTERS} characters")]
    Short,
    /// Too many bytes.
    #[error("a password has at most {MOST_BYTES} bytes")]
    Long,
    /// A character that stands for none: forms and terminals drop it or end at it, and its owner is locked out.
    #[error("a password has no control characters, such as tabs and line breaks")]
    Control,
    /// Everybody's.
    #[error("this password is among the commonest: choose another")]
    Common,
}

/// Whether `password` may be somebody's.
///
/// # Errors
/// Why it may not, in words for whoever chose it.
pub(super) fn judge(password: &str) -> Result<(), Unfit> {
    if password.len() > MOST_BYTES {
        return Err(Unfit::Long);
    }
    if password.chars().count() < LEAST_CHARACTERS {
        return Err(Unfit::Short);
    }
    if password.chars().any(char::is_control) {
        return Err(Unfit::Control);
    }
    let lower = password.to_lowercase();
    if COMMONEST.lines().any(|common| common == lower) { Err(Unfit::Common) } else { Ok(()) }
}

/// Whether an attempt with `password` is worth any work: what no password can be is none.
pub(super) fn can_be(password: &str) -> bool {
    password.len() <= MOST_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_and_bounded_in_bytes() {
        assert_eq!(judge("zwölf Zeiche"), Ok(()));
        assert_eq!(judge("elf Zeichen"), Err(Unfit::Short));
        assert_eq!(judge("ünläütß"), Err(Unfit::Short), "bytes are no characters");
        assert_eq!(judge(&"x7".repeat(512)), Ok(()));
        assert_eq!(judge(&"x7".repeat(513)), Err(Unfit::Long));
        assert!(can_be("short") && !can_be(&"x".repeat(1025)));
        let words = [Unfit::Short, Unfit::Long, Unfit::Control, Unfit::Common].map(|unfit| unfit.to_string());
        assert_eq!(
            words,
            [
                "a password has at least 12 characters",
                "a password has at most 1024 bytes",
                "a password has no control characters, such as tabs and line breaks",
                "this password is among the commonest: choose another"
            ]
        );
    }

    #[test]
    fn no_character_of_it_is_one_of_control() {
        for control in ['\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(judge(&format!("correct{control}horse battery")), Err(Unfit::Control), "{control:?}");
            assert_eq!(
                judge(&format!("correct horse battery{control}")),
                Err(Unfit::Control),
                "{control:?} at its end"
            );
        }
        assert_eq!(judge(" spaces, ümläuts and 🔑 "), Ok(()));
        assert!(can_be("what was set before\tis known"));
    }

    #[test]
    fn the_commonest_are_refused_however_they_are_written() {
        for common in ["password1234", "PassWord1234", "qwertyuiop123", "1q2w3e4r5t6y", "111111111111", "Welcome12345"]
        {
            assert_eq!(judge(common), Err(Unfit::Common), "{common}");
        }
        assert_eq!(judge("correct horse battery staple"), Ok(()));
    }

    #[test]
    fn every_line_of_the_list_can_come_up() {
        let lines: Vec<&str> = COMMONEST.lines().collect();
        assert!(lines.len() >= 1000, "{}", lines.len());
        assert!(lines.is_sorted_by(|one, next| one < next), "in order, and each once");
        for line in lines {
            assert!(line.chars().count() >= LEAST_CHARACTERS && line.len() <= MOST_BYTES, "{line}: never asked for");
            assert_eq!(line, line.to_lowercase(), "never found");
        }
    }
}
