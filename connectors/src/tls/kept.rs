//! The certificate of a server of ours that its clients may have pinned: kept beside the authority, so that it is the same
//! after a restart.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::authority::{self, Authority, ServerIdentity};
use super::{Error, identity, provider};

/// How long before its end another takes its place, at a start.
const RENEWED: Duration = Duration::from_secs(60 * 24 * 60 * 60);

const BROKEN: &str = "what is kept is no certificate with its key";

impl Authority {
    /// The identity of the server `server`, reached as [`Self::issue`] says: the one in `<server>.pem` beside the authority,
    /// certificate and key, mode 0600. It is made anew, with a warning in the log, where it cannot be used, is of another
    /// authority or for other names, or ends within 60 days.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, others may read it, or a host is no name.
    pub fn keep(&self, server: &str, hosts: &[String]) -> Result<ServerIdentity, Error> {
        let path = self.ca_path().with_file_name(format!("{server}.pem"));
        let unusable = match identity(&path, &path) {
            Ok(mut kept) => match self.judge(&kept, hosts) {
                Ok(()) => {
                    kept.chain.push(self.certificate().clone());
                    return Ok(kept);
                }
                Err(reason) => Some(reason),
            },
            Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(Error::Broken { .. }) => Some(BROKEN),
            Err(error) => return Err(error),
        };
        if let Some(reason) = unusable {
            let file = path.display();
            tracing::warn!(%file, reason, "a new certificate is made; whoever has pinned the one before has to confirm it");
        }
        let (certificate, key) = self.make(hosts, Timestamp::now())?;
        let pem = [certificate.pem(), key.serialize_pem()].concat();
        authority::write(&path, pem.as_bytes(), 0o600)?;
        Ok(self.identity(certificate, &key))
    }

    /// Whether a certificate names this authority as its issuer, whose own name no other has.
    fn has_issued(&self, certificate: &X509Certificate<'_>) -> bool {
        let ours = x509_parser::parse_x509_certificate(self.certificate());
        ours.is_ok_and(|(_, ours)| ours.subject().as_raw() == certificate.issuer().as_raw())
    }

    /// Why what is kept is of no use any more.
    fn judge(&self, kept: &ServerIdentity, hosts: &[String]) -> Result<(), &'static str> {
        let own = kept.chain.first().ok_or(BROKEN)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(own).map_err(|_| BROKEN)?;
        if !self.has_issued(&parsed) {
            return Err("the one that is kept is of another authority");
        }
        if names(&parsed) != authority::names(hosts) {
            return Err("the one that is kept is for other names");
        }
        let now = authority::believed(Timestamp::now());
        let soon = now.saturating_add(RENEWED).unwrap_or(Timestamp::MAX).min(self.ends());
        let validity = parsed.validity();
        if validity.not_before.timestamp() > now.as_second() || validity.not_after.timestamp() < soon.as_second() {
            return Err("the one that is kept is not valid, or ends soon");
        }
        let key = provider().key_provider.load_private_key(kept.key.clone_key()).map_err(|_| BROKEN)?;
        let is_its_own = key.public_key().is_some_and(|key| key.as_ref() == parsed.public_key().raw);
        if is_its_own { Ok(()) } else { Err(BROKEN) }
    }
}

/// The names and addresses that a certificate is for.
fn names(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let listed = certificate.subject_alternative_name().ok().flatten();
    let listed = listed.iter().flat_map(|names| &names.value.general_names);
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    listed.filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let short = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    short.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}
