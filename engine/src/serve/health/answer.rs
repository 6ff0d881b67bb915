//! What the server answers of the streams, or why nothing is known of them.

use async_nats::Client;
use async_nats::connection::State;
use tokio::time::error::Elapsed;

use super::Fault;
use crate::log;
use crate::log::quorum::Lack;
use crate::log::streams::{Found, IN, OUT, Stream};
use crate::logging::full;

const SILENT_CLUSTER: &str = "JetStream has not answered for some seconds: too few of the servers of its cluster may be there, or the one \
                              that the engine is connected to hangs";

/// IN and OUT as they are, each none where it is gone; or why that is not known.
pub(super) fn read(
    client: &Client,
    answer: Result<Result<(Stream, Stream), log::Error>, Elapsed>,
) -> Result<(Option<Found>, Option<Found>), Vec<Fault>> {
    let (input, output) = match answer {
        _ if client.connection_state() != State::Connected => {
            return Err(vec![Fault::new("the engine is not connected to the NATS server")]);
        }
        Err(_) if client.server_info().cluster.is_some() => return Err(vec![Fault::new(SILENT_CLUSTER)]),
        Err(_) => return Err(vec![Fault::new("the NATS server has not answered for some seconds")]),
        Ok(Err(error)) => return Err(vec![Fault::with("JetStream does not answer", full(&error))]),
        Ok(Ok(streams)) => streams,
    };
    match (led(IN, input), led(OUT, output)) {
        (Ok(input), Ok(output)) => Ok((input, output)),
        (input, output) => Err(input.err().into_iter().chain(output.err()).collect()),
    }
}

/// A stream that somebody leads, none where it is gone; or that nobody leads it.
fn led(name: &str, stream: Stream) -> Result<Option<Found>, Fault> {
    match stream {
        Stream::There(found) => Ok(Some(found)),
        Stream::Gone => Ok(None),
        Stream::Unled(lack) => Err(lacking(name, lack)),
    }
}

/// That a stream lacks servers to take anything.
pub(super) fn lacking(name: &str, lack: Lack) -> Fault {
    let what = format!("the stream {name} {}; once they are back, the engine goes on by itself", lack.what);
    Fault::with(what, lack.detail)
}
