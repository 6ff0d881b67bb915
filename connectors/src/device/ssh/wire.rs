//! The TCP connection under an SSH session, which ends when whoever holds its [`Cut`] lets it go.
//!
//! The library's task holds the socket. Without this it would hold it for as long as a device that stopped in the
//! middle of a key exchange likes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// As long as it is held, the connection may go on.
#[derive(Debug)]
pub(in crate::device) struct Cut {
    _held: oneshot::Sender<()>,
}

/// The connection.
#[derive(Debug)]
pub(in crate::device) struct Wire {
    tcp: TcpStream,
    cut: oneshot::Receiver<()>,
    is_cut: bool,
}

pub(in crate::device) fn wire(tcp: TcpStream) -> (Wire, Cut) {
    let (held, cut) = oneshot::channel();
    (Wire { tcp, cut, is_cut: false }, Cut { _held: held })
}

impl Wire {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        // A receiver that has answered must not be asked again.
        self.is_cut = self.is_cut || Pin::new(&mut self.cut).poll(cx).is_ready();
        if self.is_cut { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Reading and writing are polled by one task: that one of them asked is enough to wake it.
        if self.is_cut {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
