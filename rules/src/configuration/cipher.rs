//! Secrets as Junos enciphers them (`$9$..`): anybody can read them, so two are held against each other by what they say.
//!
//! Each character is the sum of distances between letters that follow each other in an alphabet of 65; some letters at the front are
//! chance. Source: Kevin Brintnall's Crypt::Juniper.

/// How one begins.
const FRONT: &str = "$9$";
/// The alphabet in its four families; a letter of the `n`-th has `3 - n` of chance behind it at the front.
const FAMILIES: [&str; 4] = ["QzF3n6/9CAtpu0O", "B1IREhcSyrleKvMW8LXx", "7N-dVbwsY2g4oaJZGUDj", "iHkq.mPf5T"];
const LETTERS: usize = 65;
/// What the distances of a character count, character by character.
const WEIGHTS: [&[usize]; 7] =
    [&[1, 4, 32], &[1, 16, 32], &[1, 8, 32], &[1, 64], &[1, 32], &[1, 4, 16, 128], &[1, 32, 64]];

/// What an enciphered word says; none where it is no such word.
pub(super) fn read(word: &str) -> Option<String> {
    let mut letters = word.strip_prefix(FRONT)?.bytes();
    let first = letters.next()?;
    let mut before = place(first)?;
    for _ in 0..chance(first)? {
        place(letters.next()?)?;
    }
    let (mut clear, mut weights) = (Vec::new(), WEIGHTS.iter().cycle());
    while letters.len() > 0 {
        let mut sum = 0;
        for weight in *weights.next()? {
            let at = place(letters.next()?)?;
            // One behind the other is a distance of none.
            let distance = (LETTERS + at - before) % LETTERS;
            sum += distance.checked_sub(1)? * weight;
            before = at;
        }
        clear.push(u8::try_from(sum % 256).ok()?);
    }
    String::from_utf8(clear).ok().filter(|clear| !clear.is_empty())
}

/// Where a letter stands in the alphabet.
fn place(letter: u8) -> Option<usize> {
    FAMILIES.iter().flat_map(|family| family.bytes()).position(|known| known == letter)
}

/// How many letters of chance stand behind one at the front.
fn chance(letter: u8) -> Option<usize> {
    Some(3 - FAMILIES.iter().position(|family| family.bytes().any(|known| known == letter))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enciphers as devices do, with some letters of chance.
    fn written(clear: &str, first: char, chances: &str) -> String {
        let alphabet: Vec<char> = FAMILIES.concat().chars().collect();
        let at = |letter: char| alphabet.iter().position(|known| *known == letter).unwrap();
        let (mut text, mut before) = (format!("$9${first}{chances}"), at(first));
        for (byte, weights) in clear.bytes().zip(WEIGHTS.iter().cycle()) {
            let mut rest = usize::from(byte);
            let mut distances: Vec<usize> = Vec::new();
            for weight in weights.iter().rev() {
                distances.insert(0, rest / weight);
                rest %= weight;
            }
            for distance in distances {
                before = (before + distance + 1) % LETTERS;
                text.push(alphabet[before]);
            }
        }
        text
    }

    #[test]
    fn what_is_enciphered_says_what_it_was_made_of() {
        // As the source has it.
        assert_eq!(read("$9$LbHX-wg4Z").as_deref(), Some("lc"));
        for (first, chances) in [('i', ""), ('7', "a"), ('B', "xy"), ('Q', "abc")] {
            let enciphered = written("correct horse battery", first, chances);
            assert_eq!(read(&enciphered).as_deref(), Some("correct horse battery"), "{enciphered}");
        }
    }

    #[test]
    fn what_is_none_is_read_as_none() {
        for word in ["", "$9$", "$9$!", "$9$L", "$9$LbHX-wg4", "$6$LbHX-wg4Z", "LbHX-wg4Z", "$9$L\u{e4}\u{e4}\u{e4}"] {
            assert_eq!(read(word), None, "{word}");
        }
    }
}
