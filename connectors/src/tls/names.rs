//! The names of whoever a certificate was issued to, as text that is compared whole.
//!
//! A subject is written as RFC 4514 has it, in one spelling of the several that it permits:
//!
//! - the last relative name first, `,` between them and `+` within one, without spaces;
//! - the nine types of its section 3 by their short names in capitals, any other by its number with the value's
//!   encoding behind `#`, as is a value that is no text of ASN.1;
//! - escaped by `\` what its section 2.4 asks for, and control characters as `\` and two hexadecimal digits.
//!
//! OpenSSL writes the nine types so with `-nameopt RFC2253,-esc_msb`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// What a DNS name is written with.
const DNS: &str = "DNS:";
/// The longest name, in characters.
const NAME_MOST: usize = 1000;
/// The longest DNS name. Source: RFC 1035, section 2.3.4.
const DNS_MOST: usize = 253;
/// The types with a short name. Source: RFC 4514, section 3.
const TYPES: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// A name in a certificate: its whole subject, or a DNS name of its subject alternative names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateName {
    /// The subject, in the spelling that this module has.
    Subject(String),
    /// A DNS name, in small letters.
    Dns(String),
}

impl CertificateName {
    /// All that a certificate has: its subject, unless that is empty, and its DNS names; none where its names are broken.
    pub(super) fn all(certificate: &X509Certificate<'_>) -> Option<Vec<Self>> {
        let subject = subject(certificate.subject())?;
        let mut names =
            Vec::from_iter(Some(Self::Subject(subject)).filter(|name| *name != Self::Subject(String::new())));
        let alternative = certificate.subject_alternative_name().ok()?;
        for name in alternative.iter().flat_map(|names| &names.value.general_names) {
            if let GeneralName::DNSName(name) = name {
                names.push(Self::Dns(name.to_ascii_lowercase()));
            }
        }
        Some(names)
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => f.write_str(subject),
            Self::Dns(name) => write!(f, "{DNS}{name}"),
        }
    }
}

/// Why a text is no name of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name of a certificate is a subject as `CN=acme,O=Acme Corp`, or a DNS name as `DNS:acme.example`")]
pub struct NoName;

/// A subject in another spelling than the one of this module is read, and equals none.
impl FromStr for CertificateName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        if text.chars().count() > NAME_MOST || text.chars().any(char::is_control) {
            return Err(NoName);
        }
        if let Some(name) = text.strip_prefix(DNS) {
            let is_label = |label: &str| {
                let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                !label.is_empty() && label.len() <= 63 && label.bytes().all(is_known)
            };
            let is_name = name.len() <= DNS_MOST && name.split('.').all(is_label);
            return if is_name { Ok(Self::Dns(name.to_ascii_lowercase())) } else { Err(NoName) };
        }
        let (kind, value) = text.split_once('=').ok_or(NoName)?;
        let is_short = TYPES.iter().any(|(_, name)| *name == kind);
        let is_number = kind.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            && value.starts_with('#');
        if is_short || is_number { Ok(Self::Subject(text.to_owned())) } else { Err(NoName) }
    }
}

/// A subject as text; none where it cannot be written down.
fn subject(name: &X509Name<'_>) -> Option<String> {
    let relative = Vec::from_iter(name.iter_rdn());
    let mut text = String::new();
    for (at, names) in relative.into_iter().rev().enumerate() {
        for (within, attribute) in names.iter().enumerate() {
            text.push_str(match (at, within) {
                (0, 0) => "",
                (_, 0) => ",",
                _ => "+",
            });
            write(&mut text, attribute)?;
        }
    }
    Some(text)
}

fn write(text: &mut String, attribute: &AttributeTypeAndValue<'_>) -> Option<()> {
    let kind = attribute.attr_type().to_id_string();
    let short = TYPES.iter().find(|(number, _)| *number == kind).map(|(_, short)| *short);
    match (short, attribute.as_str()) {
        (Some(short), Ok(value)) => {
            text.push_str(short);
            text.push('=');
            escaped(text, value);
        }
        (short, _) => write!(text, "{}=#{}", short.unwrap_or(&kind), hex::encode(encoding(attribute)?)).ok()?,
    }
    Some(())
}

/// Writes a value so that nothing in it can be taken for what stands around it.
fn escaped(text: &mut String, value: &str) {
    let last = value.char_indices().next_back().map_or(0, |(at, _)| at);
    for (at, char) in value.char_indices() {
        let is_at_the_edge = (at == 0 && matches!(char, ' ' | '#')) || (at == last && char == ' ');
        if char.is_control() {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                text.push_str(&format!("\\{byte:02X}"));
            }
            continue;
        }
        if is_at_the_edge || matches!(char, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            text.push('\\');
        }
        text.push(char);
    }
}

/// The encoding of a value (DER); none where it has a tag that no value of a name has.
fn encoding(attribute: &AttributeTypeAndValue<'_>) -> Option<Vec<u8>> {
    let value = attribute.attr_value();
    let number = u8::try_from(value.header.tag().0).ok().filter(|number| *number < 31)?;
    let constructed = u8::from(value.header.is_constructed()) << 5;
    let class = value.header.class() as u8;
    let length = value.data.len();
    let mut encoding = vec![class << 6 | constructed | number];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => encoding.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            encoding.push(0x80 | u8::try_from(bytes.len()).ok()?);
            encoding.extend(bytes);
        }
    }
    encoding.extend(value.data);
    Some(encoding)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    use super::*;

    fn names(parts: Vec<(DnType, DnValue)>, dns: &[&str]) -> Vec<String> {
        let dns: Vec<_> = dns.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(dns).unwrap();
        params.distinguished_name = DistinguishedName::new();
        parts.into_iter().for_each(|(kind, value)| params.distinguished_name.push(kind, value));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).unwrap();
        CertificateName::all(&parsed).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_subject_is_written_in_one_way() {
        let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
        let dc = || DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]);
        let mail = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
        // RFC 4514, section 4, first and third examples.
        let james = vec![
            (dc(), utf8("net")),
            (DnType::OrganizationalUnitName, utf8("Sales")),
            (DnType::CommonName, utf8("James \"Jim\" Smith, III")),
        ];
        assert_eq!(names(james, &[]), [r#"CN=James \"Jim\" Smith\, III,OU=Sales,DC=net"#]);
        let printable = DnValue::PrintableString("acme".try_into().unwrap());
        assert_eq!(names(vec![(DnType::CommonName, printable)], &["A.example"]), ["CN=acme", "DNS:a.example"]);
        for (value, expected) in [
            (" #a ", r"CN=\ #a\ "),
            ("#a", r"CN=\#a"),
            (" ", r"CN=\ "),
            ("a=b+c;<d>\\", r"CN=a=b\+c\;\<d\>\\"),
            ("a\0b\nc", r"CN=a\00b\0Ac"),
            ("Lu\u{10d}i\u{107}", "CN=Lu\u{10d}i\u{107}"),
            ("acme,O=Acme Corp", r"CN=acme\,O=Acme Corp"),
        ] {
            assert_eq!(names(vec![(DnType::CommonName, utf8(value))], &[]), [expected]);
        }
        // A type of no short name, and a value of another kind of text: as they are encoded.
        let address = DnValue::Ia5String("a@b".try_into().unwrap());
        assert_eq!(names(vec![(mail, address)], &[]), ["1.2.840.113549.1.9.1=#1603614062"]);
        let teletex = DnValue::TeletexString("acme".try_into().unwrap());
        assert_eq!(names(vec![(DnType::CommonName, teletex)], &[]), ["CN=#140461636d65"]);
        assert_eq!(names(Vec::new(), &[]), [""; 0], "an empty subject names nobody");
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for text in ["CN=acme,O=Acme Corp", r"CN=a\,b", "DNS:acme.example", "1.2.3=#0500", "DC=net"] {
            assert_eq!(text.parse::<CertificateName>().unwrap().to_string(), text);
        }
        assert_eq!("DNS:Acme.Example".parse(), Ok(CertificateName::Dns("acme.example".to_owned())));
        let long = format!("CN={}", "x".repeat(NAME_MOST));
        for text in
            ["", "acme", "cn=acme", "/CN=acme", "=x", "DNS:", "DNS:*.example", "DNS:a..b", "1.2=x", "CN=a\nb", &long]
        {
            assert_eq!(text.parse::<CertificateName>(), Err(NoName), "{text}");
        }
    }
}
