//! Why a certificate is not believed, in words.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::text::excerpt;

/// Why a certificate that was shown is not believed.
pub fn in_words(fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer => "its issuer is not among those that are believed".to_owned(),
        CertificateError::BadSignature => "the issuer it names has not signed it".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("it was valid until {} only", time(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is valid from {} on only", time(*not_before))
        }
        CertificateError::Revoked => "it is revoked".to_owned(),
        CertificateError::UnknownRevocationStatus => "nobody says whether it is revoked".to_owned(),
        CertificateError::ExpiredRevocationListContext { next_update, .. } => {
            format!("what is revoked is known until {} only", time(*next_update))
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            format!("it is not for `{}`", excerpt(&expected.to_str(), 200))
        }
        // What has no form of its own there; its words are those of whoever looked.
        CertificateError::Other(other) => match other.to_string().as_str() {
            "CaUsedAsEndEntity" => "it is an authority's own, which only a fingerprint can name".to_owned(),
            words => excerpt(words, 200),
        },
        other => excerpt(&other.to_string(), 200),
    }
}

fn time(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}
