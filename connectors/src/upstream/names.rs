//! How the name of an upstream becomes addresses: as the system has it, with a failure that is known as one of names.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// The system's resolver.
#[derive(Debug)]
pub(super) struct Names;

/// A name of which nobody knows an address.
#[derive(Debug, thiserror::Error)]
#[error("its name cannot be resolved")]
pub(super) struct Unresolved(#[source] io::Error);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is put in by whoever connects.
            match lookup_host((name.as_str(), 0)).await {
                Ok(found) => Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(error) => Err(Unresolved(error).into()),
            }
        })
    }
}
