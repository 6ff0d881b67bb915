//! Hides what must not be shown: passwords in addresses, and in lines of the file.

/// What stands for a secret.
const MASK: &str = "***";

/// Parts of key names whose values are secrets, as a user may have tried to spell them.
const SECRET_NAMES: [&str; 4] = ["password", "passwd", "secret", "token"];

/// The address without its password; a user without a password may be a token and is hidden too.
pub(super) fn url(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    match rest.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{scheme}{user}:{MASK}@{host}"),
            None => format!("{scheme}{MASK}@{host}"),
        },
        None => text.to_owned(),
    }
}

/// A line of the configuration file as it may be shown.
pub(super) fn line(text: &str) -> String {
    for (at, _) in text.match_indices('=') {
        let before = text.get(..at).unwrap_or_default();
        let name = before.rsplit([',', '{', '[', '=']).next().unwrap_or_default();
        let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        if SECRET_NAMES.iter().any(|secret| name.contains(secret)) && !name.ends_with("_file") {
            return format!("{before}= {MASK}");
        }
    }
    match text.split_once("://") {
        Some((before, after)) if after.contains('@') => {
            let quoted = before.rfind(['"', '\'']).map_or(0, |at| at + 1);
            let (head, _) = text.split_at(quoted);
            let (_, address) = text.split_at(quoted);
            format!("{head}{}", url(address))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses() {
        for (text, shown) in [
            ("nats://h:4222", "nats://h:4222"),
            ("nats://me:hunter2@h:4222", "nats://me:***@h:4222"),
            ("nats://me:hun@ter/2@h", "nats://me:***@h"),
            ("nats://t0ken@h", "nats://***@h"),
            ("me:hunter2@h", "me:***@h"),
            ("", ""),
        ] {
            assert_eq!(super::url(text), shown);
        }
    }

    #[test]
    fn lines() {
        for (text, shown) in [
            ("user = \"noc@partner.example\"", "user = \"noc@partner.example\""),
            ("url = \"nats://me:hunter2@h\" # own", "url = \"nats://me:***@h\" # own"),
            ("password = \"hunter2\"", "password = ***"),
            ("\"Api_Token\" = 'x'", "\"Api_Token\" = ***"),
            ("upstream = { user = \"u\", password = \"hunter2\" }", "upstream = { user = \"u\", password = ***"),
            ("password_file = \"p\"", "password_file = \"p\""),
            ("password", "password"),
        ] {
            assert_eq!(super::line(text), shown);
        }
    }
}
