//! How many are connected at once, and who has to go when one more comes.
//!
//! When every seat is taken, whoever has gone longest without being told anything gives up theirs:
//! a client that holds a connection without getting anywhere cannot keep others out. So does one
//! that does not take what it is told.
//!
//! Connections that are nobody's yet go first, one of the network that has most of them: a flood from one place displaces
//! itself, and whoever comes from far away has time to say who it is. A listener says whose a connection is ([`Claims`])
//! once somebody has shown it.
//!
//! INVARIANT (the known stay): one that is nobody's displaces none that is somebody's. Some seats are therefore kept for
//! those that have not said who they are; when the known need one more than the rest, one of whoever has most goes, by
//! the claim of somebody else. A holder has so many seats at most; one more costs its own oldest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::{Future, Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready as try_ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// What is measured of a listener's connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// How many there are.
    pub(crate) connections: fn() -> metrics::Gauge,
    /// How many had to go.
    pub(crate) displaced: fn() -> metrics::Counter,
}

/// The seats of all connections.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    most: usize,
    measured: Measured,
    /// How long a client may take none of its answer.
    stall: Duration,
    taken: Arc<Mutex<Taken>>,
}

/// The part of all seats that is kept for those that have not said who they are: one of so many.
const KEPT: usize = 8;

/// The seats taken, whoever was told something last at the end.
#[derive(Debug, Default)]
struct Taken {
    next: u64,
    holders: BTreeMap<u64, Holder>,
    /// The turns of those whose other end is known.
    peers: HashMap<SocketAddr, u64>,
    /// The turns of those that are nobody's, by where they come from.
    nobodys: HashMap<Option<IpAddr>, BTreeSet<u64>>,
    /// The turns of those that are somebody's, and how many these are in all.
    owned: BTreeMap<Arc<str>, BTreeSet<u64>>,
    known: usize,
}

/// From where a connection comes: an address, of IPv6 its network of 64 bits, which is one machine's or one home's.
fn network(peer: Option<SocketAddr>) -> Option<IpAddr> {
    peer.map(|peer| match peer.ip().to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    })
}

/// Who holds a seat.
#[derive(Debug)]
struct Holder {
    /// Dropped, it ends the connection.
    _gone: oneshot::Sender<()>,
    peer: Option<SocketAddr>,
    /// Whose the connection is; none as long as nobody has said.
    owner: Option<Arc<str>>,
}

impl Taken {
    fn put_last(&mut self, holder: Holder) -> u64 {
        let turn = self.next;
        self.next += 1;
        self.put(turn, holder);
        turn
    }

    fn put(&mut self, turn: u64, holder: Holder) {
        if let Some(peer) = holder.peer {
            self.peers.insert(peer, turn);
        }
        match &holder.owner {
            None => {
                self.nobodys.entry(network(holder.peer)).or_default().insert(turn);
            }
            Some(owner) => {
                self.owned.entry(Arc::clone(owner)).or_default().insert(turn);
                self.known += 1;
            }
        }
        self.holders.insert(turn, holder);
    }

    fn remove(&mut self, turn: u64) -> Option<Holder> {
        let holder = self.holders.remove(&turn)?;
        match &holder.owner {
            None => {
                let from = network(holder.peer);
                if self.nobodys.get_mut(&from).is_some_and(|turns| is_last(turns, turn)) {
                    self.nobodys.remove(&from);
                }
            }
            Some(owner) => {
                self.known = self.known.saturating_sub(1);
                if self.owned.get_mut(owner).is_some_and(|turns| is_last(turns, turn)) {
                    self.owned.remove(owner);
                }
            }
        }
        // The other end may have come anew by the same port.
        if let Some(peer) = holder.peer.filter(|peer| self.peers.get(peer) == Some(&turn)) {
            self.peers.remove(&peer);
        }
        Some(holder)
    }

    /// The oldest of the network that has most seats of nobody's.
    fn nobodys(&self) -> Option<u64> {
        let oldest = self.nobodys.values().filter_map(|turns| Some((turns.len(), Reverse(*turns.first()?))));
        oldest.max().map(|(_, Reverse(turn))| turn)
    }

    /// The oldest of whoever has most seats.
    fn somebodys(&self) -> Option<u64> {
        self.owned.values().max_by_key(|turns| turns.len())?.first().copied()
    }
}

/// Takes a turn out; whether it was the last.
fn is_last(turns: &mut BTreeSet<u64>, turn: u64) -> bool {
    turns.remove(&turn);
    turns.is_empty()
}

/// Says whose connections are.
#[derive(Debug, Clone)]
pub(crate) struct Claims(Seats);

impl Claims {
    /// The connection from `peer` is `owner`'s, who has at most so many.
    pub(crate) fn claim(&self, peer: SocketAddr, owner: &str, most: usize) {
        let mut taken = self.0.taken();
        let Some(turn) = taken.peers.get(&peer).copied() else { return };
        if taken.holders.get(&turn).is_none_or(|holder| holder.owner.as_deref() == Some(owner)) {
            return;
        }
        let Some(mut holder) = taken.remove(turn) else { return };
        holder.owner = Some(owner.into());
        taken.put(turn, holder);
        let theirs = taken.owned.get(owner);
        let their_oldest = theirs.filter(|turns| turns.len() > most).and_then(|turns| turns.first().copied());
        let is_crowded = taken.known > self.0.most.saturating_sub(self.0.kept());
        let going = their_oldest.or_else(|| taken.somebodys().filter(|_| is_crowded));
        if let Some(going) = going {
            taken.remove(going);
            (self.0.measured.displaced)().increment(1);
        }
    }
}

impl Seats {
    pub(super) fn new(most: usize, stall: Duration, measured: Measured) -> Self {
        Self { most: most.max(1), measured, stall, taken: Arc::default() }
    }

    /// How many seats are for those alone that have not said who they are.
    fn kept(&self) -> usize {
        (self.most / KEPT).max(1)
    }

    /// By what is said whose connections are.
    pub(super) fn claims(&self) -> Claims {
        Claims(self.clone())
    }

    /// Ends every connection.
    pub(super) fn clear(&self) {
        let mut taken = self.taken();
        *taken = Taken { next: taken.next, ..Taken::default() };
    }

    /// Gives the connection a seat, if need be another's.
    fn seat<S>(&self, stream: S, peer: Option<SocketAddr>) -> Seated<S> {
        let (holder, gone) = oneshot::channel();
        let mut taken = self.taken();
        while taken.holders.len() >= self.most
            && let Some(turn) = taken.nobodys().or_else(|| taken.somebodys())
        {
            taken.remove(turn);
            (self.measured.displaced)().increment(1);
        }
        let turn = taken.put_last(Holder { _gone: holder, peer, owner: None });
        (self.measured.connections)().increment(1.0);
        Seated { stream, gone: Some(gone), seats: self.clone(), turn, stall: None }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing under the lock panics; and a table of seats is whole after every step.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seats what was accepted, before TLS.
#[derive(Debug, Clone)]
pub(super) struct SeatAcceptor(pub(super) Seats);

impl<V> Accept<TcpStream, V> for SeatAcceptor {
    type Stream = Seated<TcpStream>;
    type Service = V;
    type Future = Ready<io::Result<(Self::Stream, V)>>;

    fn accept(&self, stream: TcpStream, service: V) -> Self::Future {
        let peer = stream.peer_addr().ok();
        ready(stream.set_nodelay(true).map(|()| (self.0.seat(stream, peer), service)))
    }
}

/// A connection on its seat.
#[derive(Debug)]
pub(super) struct Seated<S> {
    stream: S,
    /// Ready once the seat is another's; none from then on. Reading and writing are one task's: it has one waker.
    gone: Option<oneshot::Receiver<()>>,
    seats: Seats,
    turn: u64,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<S> Seated<S> {
    /// An error once the seat is another's, as often as it is asked: TLS goes on to say goodbye.
    fn hold(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.gone.as_mut().is_some_and(|gone| Pin::new(gone).poll(context).is_pending()) {
            return Ok(());
        }
        self.gone = None;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection's seat is gone"))
    }

    /// The client was told something: it goes to the end of the row.
    fn told(&mut self) {
        self.stall = None;
        let mut taken = self.seats.taken();
        if let Some(holder) = taken.remove(self.turn) {
            self.turn = taken.put_last(holder);
        }
    }

    /// Ready once the client has taken nothing for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let most = self.seats.stall;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(most)));
        try_ready!(stall.as_mut().poll(context));
        (self.seats.measured.displaced)().increment(1);
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer"))
    }
}

impl<S> Drop for Seated<S> {
    fn drop(&mut self) {
        self.seats.taken().remove(self.turn);
        (self.seats.measured.connections)().decrement(1.0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Seated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.hold(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Seated<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.hold(context)?;
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                self.told();
                Poll::Ready(written)
            }
            Poll::Pending => self.poll_stall(context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);
    const MEASURED: Measured = Measured { connections: metrics::Gauge::noop, displaced: metrics::Counter::noop };

    /// What comes within a time that is ample.
    async fn soon<T>(what: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(10), what).await.expect("it comes to an end")
    }

    #[tokio::test]
    async fn the_one_told_nothing_for_longest_gives_up_its_seat() {
        let seats = Seats::new(2, LONG, MEASURED);
        let pairs = [0; 3].map(|_| duplex(64));
        let [(ours1, mut first), (ours2, _second), (ours3, _third)] = pairs;
        let (mut one, mut two) = (seats.seat(ours1, None), seats.seat(ours2, None));
        // Talking gets nobody a seat; being answered does.
        one.write_all(b"answer").await.unwrap();
        let mut three = seats.seat(ours3, None);
        let mut buffer = [0; 8];
        let refused = soon(two.read(&mut buffer)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the connection's seat is gone");
        // And whatever is tried on it afterwards.
        let refused = soon(two.write_all(b"goodbye")).await.unwrap_err();
        assert_eq!(refused.to_string(), "the connection's seat is gone");
        three.write_all(b"answer").await.unwrap();
        first.write_all(b"question").await.unwrap();
        assert_eq!(soon(one.read(&mut buffer)).await.unwrap(), 8);
        // A seat that is left is free.
        drop((two, three));
        let _four = seats.seat(duplex(64).0, None);
        first.write_all(b"question").await.unwrap();
        assert_eq!(soon(one.read(&mut buffer)).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_its_seat_goes() {
        let seats = Seats::new(1, LONG, MEASURED);
        let (ours, _theirs) = duplex(64);
        let mut waiting = seats.seat(ours, None);
        let read = tokio::spawn(async move { waiting.read(&mut [0; 8]).await });
        tokio::task::yield_now().await;
        seats.clear();
        let read = soon(read).await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn an_answer_nobody_takes_is_given_up() {
        let seats = Seats::new(1, Duration::from_millis(20), MEASURED);
        let (ours, mut theirs) = duplex(4);
        let mut stalled = seats.seat(ours, None);
        let given_up = soon(stalled.write_all(b"answer")).await.unwrap_err();
        assert_eq!(given_up.to_string(), "the client does not take its answer");
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 4);
    }

    fn is_gone(seated: &mut Seated<tokio::io::DuplexStream>) -> bool {
        seated.gone.as_mut().is_none_or(|gone| gone.try_recv() == Err(oneshot::error::TryRecvError::Closed))
    }

    #[tokio::test]
    async fn a_flood_from_one_network_displaces_itself() {
        let seats = Seats::new(4, LONG, MEASURED);
        let seat = |peer: &str| seats.seat(duplex(64).0, Some(peer.parse().unwrap()));
        // The one from far away is the oldest, and has not said who it is.
        let mut far = seat("198.51.100.1:1");
        let mut flood: Vec<_> = (1..=9).map(|port| seat(&format!("[2001:db8::{port}]:{port}"))).collect();
        assert!(!is_gone(&mut far));
        let gone: Vec<_> = flood.iter_mut().map(is_gone).collect();
        assert_eq!(gone, [true, true, true, true, true, true, false, false, false]);
        // Whose connection is known counts no more among nobody's.
        seats.claims().claim("[2001:db8::9]:9".parse().unwrap(), "known", 3);
        let _others = ["203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3"].map(seat);
        assert!(!is_gone(&mut flood[8]));
    }

    #[tokio::test]
    async fn whoever_is_known_gives_up_a_seat_to_none_that_is_not() {
        let seats = Seats::new(4, LONG, MEASURED);
        let peer = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        let gone = |seated: &mut Vec<Seated<_>>| seated.iter_mut().map(is_gone).collect::<Vec<_>>();
        let mut seated: Vec<_> = (1..=4).map(|port| seats.seat(duplex(64).0, Some(peer(port)))).collect();
        let claims = seats.claims();
        claims.claim(peer(1), "quiet", 3);
        for port in 2..=3 {
            claims.claim(peer(port), "loud", 3);
        }
        // However many come: each displaces the one of nobody's that came before.
        for port in 5..=20 {
            seated.push(seats.seat(duplex(64).0, Some(peer(port))));
        }
        let (known, flood) = (3, 17);
        assert_eq!(gone(&mut seated), [vec![false; known], vec![true; flood - 1], vec![false]].concat());
        // One of the known needs the seat that is kept: of whoever has most the oldest goes, and not the oldest of all.
        claims.claim(peer(20), "new", 3);
        assert_eq!(gone(&mut seated)[..3], [false, true, false]);
        assert!(!is_gone(seated.last_mut().unwrap()));
        // It says so once.
        claims.claim(peer(20), "new", 3);
        assert_eq!(gone(&mut seated)[..3], [false, true, false]);
        // Beyond what one may have its own oldest goes, seats or no seats.
        seated.push(seats.seat(duplex(64).0, Some(peer(21))));
        claims.claim(peer(21), "new", 1);
        assert!(is_gone(&mut seated[19]) && !is_gone(&mut seated[20]));
        // A seat that was claimed is moved and left as any other.
        drop(seated);
        assert!(seats.taken().owned.is_empty() && seats.taken().nobodys.is_empty());
        assert_eq!(seats.taken().known, 0);
    }
}
