//! Connections with limits: so many at once, and none that is slow.
//!
//! Who comes when there are too many waits in the queue of the system. A client that is silent for too long, or takes too
//! long over a request or an answer, byte by byte, is cut off, and its place is free again; one that waits for its answer
//! is not.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// After a failure to accept, as when there are no more files, some may have been closed.
const RETRY: Duration = Duration::from_millis(100);

/// How many connections may wait in the queue of the system. Of more, each tries again a second later.
const QUEUE: u32 = 1024;

/// Listens on the first of the addresses that can be listened on; from within a runtime.
pub(super) fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "there is no address");
    for address in address.to_socket_addrs()? {
        let listen = || {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            // Elsewhere, this would let two listen on one port.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(QUEUE)
        };
        match listen() {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

pub(super) struct Limited {
    listener: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
}

impl Limited {
    pub(super) fn new(listener: TcpListener, connections: usize, idle: Duration) -> Self {
        let connections = connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            listener,
            places: Arc::new(Semaphore::new(connections)),
            idle,
        }
    }
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // The semaphore is never closed.
            let place = self.places.clone().acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // An answer is one write: nothing is gained by waiting for more.
                    let _ = stream.set_nodelay(true);
                    let connection = Connection {
                        stream,
                        limit: self.idle,
                        deadline: Box::pin(sleep(self.idle)),
                        moved: Instant::now(),
                        begun: None,
                        busy: Busy::new(),
                        _place: place,
                    };
                    return (connection, from);
                }
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// How many requests of a connection are being answered, and when the last one was.
#[derive(Debug, Clone)]
pub(super) struct Busy(Arc<Mutex<(usize, Instant)>>);

impl Busy {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((0, Instant::now()))))
    }

    fn get(&self) -> MutexGuard<'_, (usize, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until this is dropped, there is one more.
    pub(super) fn answering(&self) -> Answering {
        self.get().0 += 1;
        Answering(self.clone())
    }
}

pub(super) struct Answering(Busy);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut busy = self.0.get();
        *busy = (busy.0 - 1, Instant::now());
    }
}

impl Connected<IncomingStream<'_, Limited>> for Busy {
    fn connect_info(stream: IncomingStream<'_, Limited>) -> Self {
        stream.io().busy.clone()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// A connection that has a place, until it is dropped.
pub(super) struct Connection {
    stream: TcpStream,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    /// When a byte went by last.
    moved: Instant,
    /// Which way bytes go, and since when.
    begun: Option<(Way, Instant)>,
    busy: Busy,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Fails where the client was silent for too long, or is too slow.
    fn watched<T>(
        &mut self,
        way: Way,
        context: &mut Context<'_>,
        moved: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let now = Instant::now();
        if moved.is_ready() {
            self.moved = now;
            if self.begun.is_none_or(|(other, _)| other != way) {
                self.begun = Some((way, now));
            }
        }
        let (answering, answered) = *self.busy.get();
        let busy = answering > 0;
        let quiet = self.moved.max(answered);
        let end = match self.begun {
            // It waits for its answer, and is looked at again when it may have it.
            _ if way == Way::In && busy => now,
            // A byte now and then is no request.
            Some((going, since)) if going == way => since.max(answered).min(quiet),
            _ => quiet,
        } + self.limit;
        match moved {
            Poll::Ready(_) if way == Way::Out || now < end => moved,
            Poll::Ready(_) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => {
                self.deadline.as_mut().reset(end);
                match self.deadline.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watched(Way::In, context, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(Way::Out, context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watched(Way::Out, context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
