//! Whose certificate a connection has shown: named by its SHA-256 in the configuration, or issued by an authority of
//! `partner.client_ca` to one of the names there.
//!
//! Whoever is refused is answered like who shows none; why stands in the log, so often and no more.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use linesman_connectors::tls::{CertificateName, ClientAuthorities, Fingerprint, NotIssued, ShownChain};
use linesman_schemas::OrgName;

use super::customers::Customer;
use super::pace::Pace;
use crate::config::Login;
use crate::logging::full;

/// How many refusals a second are told in the log.
const TOLD: NonZeroU32 = NonZeroU32::MIN;
/// How many at once after a pause.
const TOLD_AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// Whose certificates are known.
#[derive(Debug)]
pub(super) struct Certificates {
    /// By the certificate itself.
    own: BTreeMap<Fingerprint, Arc<Customer>>,
    /// By the name it is issued to.
    named: BTreeMap<CertificateName, Arc<Customer>>,
    authorities: Option<ClientAuthorities>,
    told: Pace,
}

/// Why a certificate lets nobody in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("its SHA-256 is that of no organization")]
    Unknown,
    #[error("it is not valid now")]
    Over,
    #[error("it names nobody")]
    NotIssued(#[from] NotIssued),
    #[error("no organization has one of its names as `certificate_subject`: {0}")]
    Nobodys(String),
    #[error("its names are those of several organizations: {0}")]
    Several(String),
}

impl Certificates {
    /// Those of some who may come, of whom one organization has a certificate and a name at the most.
    pub(super) fn of<'a>(
        logins: impl Iterator<Item = (&'a Login, &'a Arc<Customer>)>,
        authorities: Option<ClientAuthorities>,
    ) -> Self {
        let (mut own, mut named) = (BTreeMap::new(), BTreeMap::new());
        for (login, customer) in logins {
            own.extend(login.certificate.map(|certificate| (certificate, Arc::clone(customer))));
            named.extend(login.subject.clone().map(|name| (name, Arc::clone(customer))));
        }
        Self { own, named, authorities, told: Pace::new(TOLD, TOLD_AT_ONCE, Instant::now()) }
    }

    /// All who may come by one.
    pub(super) fn customers(&self) -> impl Iterator<Item = &Arc<Customer>> {
        self.own.values().chain(self.named.values())
    }

    /// Whose a certificate is that a connection has shown; none where it is nobody's, or does not count now. Whoever shows
    /// it holds its key.
    pub(super) fn whose(&self, now: Timestamp, chain: &ShownChain) -> Option<&Arc<Customer>> {
        if chain.is_refused() {
            return None;
        }
        let refused = match self.look(now, chain) {
            Ok(customer) => return Some(customer),
            Err(refused) => refused,
        };
        chain.refuse();
        metrics::counter!("linesman_partner_logins_refused_total", "reason" => "certificate").increment(1);
        if self.told.take(Instant::now()).is_ok() {
            let (certificate, reason) = (chain.shown().fingerprint.to_string(), full(&refused));
            tracing::warn!(certificate, reason, "a client certificate at the partner listener lets nobody in");
        }
        None
    }

    pub(super) fn look(&self, now: Timestamp, chain: &ShownChain) -> Result<&Arc<Customer>, Refused> {
        let shown = chain.shown();
        if let Some(customer) = self.own.get(&shown.fingerprint) {
            return if shown.is_valid(now) { Ok(customer) } else { Err(Refused::Over) };
        }
        let names = self.authorities.as_ref().ok_or(Refused::Unknown)?.names(chain, now)?;
        let mut found: BTreeMap<&OrgName, &Arc<Customer>> = BTreeMap::new();
        for customer in names.iter().filter_map(|name| self.named.get(name)) {
            found.insert(&customer.org, customer);
        }
        let list = |texts: Vec<String>| texts.join(", ");
        match found.pop_first() {
            Some((_, customer)) if found.is_empty() => Ok(customer),
            Some((first, _)) => {
                let orgs = std::iter::once(first).chain(found.into_keys());
                Err(Refused::Several(list(orgs.map(|org| format!("`{org}`")).collect())))
            }
            None => Err(Refused::Nobodys(list(names.iter().take(10).map(|name| format!("`{name}`")).collect()))),
        }
    }
}
