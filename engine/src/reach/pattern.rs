//! Which files of a directory are bundles, by their names: `*` stands for any characters, `?` for one.

use linesman_connectors::device::files::File;

/// Whether a file's name is one of those that a pattern names.
pub(super) fn matches(pattern: &str, file: &File) -> bool {
    glob(pattern.as_bytes(), file.name.as_bytes())
}

/// Whether a name is one of those that a pattern names, byte by byte.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while let Some(byte) = name.get(at.1) {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((pattern_at, name_at)) = star else { return false };
                star = Some((pattern_at, name_at + 1));
                at = (pattern_at + 1, name_at + 1);
            }
        }
    }
    pattern.get(at.0..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_whole_names() {
        for (pattern, name, expected) in [
            ("*.xml", "a.xml", true),
            ("*.xml", ".xml", true),
            ("*.xml", "a.xml.gz", false),
            ("*.xml", "a.xmlx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("jmb_*_?.xml", "jmb_edge_1_2.xml", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
