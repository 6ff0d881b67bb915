//! The network between two controllers, and what becomes of it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How much a slow network carries at a time, and how long it rests between.
const SLOW_BYTES: usize = 512;
const SLOW_REST: Duration = Duration::from_millis(2);

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It carries all at once.
    Fair,
    /// It carries little at a time.
    Slow,
    /// It carries nothing, and nobody hears why: what is under way stays so, and so do new connections.
    Cut,
    /// It resets each connection after so many bytes of an answer.
    Reset(usize),
}

/// A network that leads to one address; gone when it is dropped.
pub struct Network {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    connections: watch::Receiver<u64>,
    _carrying: JoinSet<()>,
}

impl Network {
    /// One that leads to an address.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let here = listener.local_addr()?;
        let (weather, told) = watch::channel(Weather::Fair);
        let (count, connections) = watch::channel(0);
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut all = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                all.spawn(carry(stream, address, told.clone()));
                while all.try_join_next().is_some() {}
            }
        });
        Ok(Self { address: here, weather, connections, _carrying: carrying })
    }

    /// Where one enters it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on it does this, connections that stand included.
    pub fn turns(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// How many connections were made through it.
    pub fn connections(&self) -> u64 {
        *self.connections.borrow()
    }
}

/// Carries one connection until an end of it closes, or the network resets it.
async fn carry(mut near: TcpStream, to: SocketAddr, mut weather: watch::Receiver<Weather>) {
    if weather.wait_for(|weather| *weather != Weather::Cut).await.is_err() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    let is_reset = {
        let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.split(), far.split());
        tokio::select! {
            is_reset = pass(&mut near_in, &mut far_out, weather.clone(), false) => is_reset,
            is_reset = pass(&mut far_in, &mut near_out, weather.clone(), true) => is_reset,
        }
    };
    if is_reset {
        // Closed with bytes that nobody will read: the peer gets a reset, not an end.
        let _ = near.set_zero_linger();
        let _ = far.set_zero_linger();
    }
}

/// Passes on what comes; whether it ended with a reset.
async fn pass(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    mut weather: watch::Receiver<Weather>,
    is_answer: bool,
) -> bool {
    let (mut buffer, mut passed) = (vec![0; 16 * 1024], 0);
    loop {
        let Ok(count) = from.read(&mut buffer).await else { return false };
        if count == 0 {
            return false;
        }
        let mut rest = buffer.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            let now = match weather.wait_for(|weather| *weather != Weather::Cut).await {
                Ok(now) => *now,
                Err(_) => return false,
            };
            let most = match now {
                Weather::Slow => SLOW_BYTES,
                Weather::Reset(after) if is_answer && passed >= after => return true,
                Weather::Reset(after) if is_answer => after - passed,
                Weather::Fair | Weather::Cut | Weather::Reset(_) => rest.len(),
            };
            let (some, others) = rest.split_at(most.min(rest.len()));
            if to.write_all(some).await.is_err() {
                return false;
            }
            (rest, passed) = (others, passed + some.len());
            if now == Weather::Slow {
                tokio::time::sleep(SLOW_REST).await;
            }
        }
    }
}
