//! Hides what must not be shown: passwords in addresses, and in lines of the file.

use crate::log::servers;

/// What stands for a secret.
const MASK: &str = "***";

/// Parts of key names whose values are secrets, as a user may have tried to spell them.
const SECRET_NAMES: [&str; 4] = ["password", "passwd", "secret", "token"];

/// The address, or several behind commas, without its password; a user without a password may be a token and is hidden too.
pub(super) fn url(text: &str) -> String {
    let shown: Vec<String> = servers::split(text).into_iter().map(one).collect();
    shown.join(",")
}

fn one(text: &str) -> String {
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

/// A line of the configuration file as it may be shown. Rather too much is hidden than too little:
/// the line may be no TOML at all.
pub(super) fn line(text: &str) -> String {
    let text = match secret_begin(text) {
        Some(begin) => format!("{}= {MASK}", text.get(..begin).unwrap_or_default()),
        None => text.to_owned(),
    };
    match login_begin(&text) {
        Some(begin) => {
            let (before, address) = text.split_at(begin);
            format!("{before}{}", url(address))
        }
        None => text,
    }
}

/// Where the `=` stands behind the name of a secret.
fn secret_begin(text: &str) -> Option<usize> {
    let is_secret = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        let name = before.rsplit([',', '{', '[', '=']).next().unwrap_or_default();
        let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        SECRET_NAMES.iter().any(|secret| name.contains(secret)) && !name.ends_with("_file")
    };
    text.match_indices('=').map(|(at, _)| at).find(is_secret)
}

/// Where an address with a login begins; an address of e-mail has neither `:` nor `//` before its `@`.
fn login_begin(text: &str) -> Option<usize> {
    text.match_indices('@').find_map(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let scheme = before.find("://");
        let searched = scheme.and_then(|scheme| before.get(..scheme)).unwrap_or(before);
        let begin = searched.rfind(['"', '\'']).map_or(0, |quote| quote + 1);
        let login = before.get(begin..).unwrap_or_default();
        (login.contains(':') || login.contains("//")).then_some(begin)
    })
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
            ("nats://t0ken@a,nats://me:hun,ter2@b:1,tls://c", "nats://***@a,nats://me:***@b:1,tls://c"),
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
            ("nats = { url = 'nats//me:hunter2@h', lanes = 5 }", "nats = { url = 'nats//me:***@h', lanes = 5 }"),
            ("url = 'nats://me:hun\"ter2@h", "url = 'nats://me:***@h"),
            ("u = 'a@b', url = 'me:hunter2@h'", "u = 'a@b', url = 'me:***@h'"),
            ("url = 'nats://me:hunter2@h', token = 'x'", "url = 'nats://me:***@h', token = ***"),
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
