//! Ports of the loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use super::Error;

/// A port that is free at this moment. Somebody else may take it before the server does.
pub(super) fn free() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|source| Error::NoPort { source })
}

/// Refuses a port that is taken.
pub(super) fn probe(port: u16) -> Result<(), Error> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Error::PortTaken { port }),
        Err(source) => Err(Error::NoPort { source }),
    }
}
