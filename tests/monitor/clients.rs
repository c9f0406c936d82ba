//! Clients that are many, slow, or send too much.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use modelpulse::serve::Server;

use crate::served::set;
use crate::support::{PATIENCE, get};

/// Between the bytes of a client that is slow: many times within the limits of these tests.
const DRIP: Duration = Duration::from_millis(20);
/// What a server of these tests waits for.
const LIMIT: Duration = Duration::from_millis(300);

#[test]
fn a_large_body_is_refused_and_a_slow_client_is_cut_off() {
    let set = set(|rows| rows.values().to_vec());
    let serving = Server::new(&set.registry)
        .watch(&set.watch)
        .max_body(1 << 20)
        .max_time(Duration::from_millis(300))
        .listen("127.0.0.1:0")
        .unwrap();
    let said = |request: &[u8]| {
        let mut stream = TcpStream::connect(serving.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        // Cut off may be an end, or a reset.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    };
    // 100 MB are announced: refused before they are sent.
    let announced = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n";
    assert!(said(announced).starts_with("HTTP/1.1 413"));
    // Not announced, and too large all the same.
    let mut chunked =
        b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    chunked.extend(b"200000\r\n");
    chunked.resize(chunked.len() + 0x0020_0000, b' ');
    chunked.extend(b"\r\n0\r\n\r\n");
    assert!(said(&chunked).starts_with("HTTP/1.1 413"));
    // Half a request, and then nothing.
    assert_eq!(said(b"GET /metrics HTT"), "");
    let half = said(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n[[1");
    assert!(half.is_empty() || half.starts_with("HTTP/1.1 4"), "{half}");
    assert_eq!(get(&format!("{}/metrics", serving.url())).status, 200);
}

#[test]
fn a_thousand_connections_at_once_are_all_answered() {
    const CLIENTS: usize = 1000;
    let set = set(|rows| rows.values().to_vec());
    let serving = Server::new(&set.registry)
        .watch(&set.watch)
        .max_connections(64)
        .listen("127.0.0.1:0")
        .unwrap();
    let address = serving.address();
    let all = Arc::new(Barrier::new(CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let all = all.clone();
            let client = std::thread::Builder::new().stack_size(64 << 10);
            let client = client.spawn(move || {
                all.wait();
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                stream.write_all(request).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer.starts_with("HTTP/1.1 200")
            });
            client.unwrap()
        })
        .collect();
    let answered = clients.into_iter().map(|it| it.join().unwrap());
    assert_eq!(answered.filter(|answered| *answered).count(), CLIENTS);
}

/// Sends bytes one by one until it is cut off.
fn drip(mut stream: &TcpStream, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        std::thread::park_timeout(DRIP);
    }
}

/// A client that holds a connection for as long as it is let.
type Slow = fn(&TcpStream);

const SLOW: [(&str, Slow); 5] = [
    ("silent", |mut stream| {
        let _ = stream.read(&mut [0]);
    }),
    ("headers byte by byte", |mut stream| {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nx: ");
        drip(stream, std::iter::repeat(b'a'));
    }),
    ("a body byte by byte", |mut stream| {
        let head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
        let _ = stream.write_all(head);
        drip(stream, std::iter::repeat(b' '));
    }),
    ("answers that are not taken", |mut stream| {
        for _ in 0..10_000 {
            if stream
                .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
                .is_err()
            {
                return;
            }
        }
    }),
    ("answers that are taken byte by byte", |mut stream| {
        for _ in 0..500 {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
        }
        while stream.read(&mut [0; 16]).is_ok_and(|bytes| bytes > 0) {
            std::thread::park_timeout(DRIP);
        }
    }),
];

#[test]
fn a_slow_client_holds_no_place_for_ever() {
    let set = set(|rows| rows.values().to_vec());
    for at in 0..2000 {
        let meter = set.registry.meter("series").tag("at", at.to_string());
        meter.tag("text", "long ".repeat(20)).gauge().set(1.0);
    }
    for (name, slow) in SLOW {
        let serving = Server::new(&set.registry)
            .watch(&set.watch)
            .max_time(LIMIT)
            .max_connections(1)
            .listen("127.0.0.1:0")
            .unwrap();
        let stream = TcpStream::connect(serving.address()).unwrap();
        let client = std::thread::spawn(move || slow(&stream));
        // Connections have their places in the order in which they came.
        let page = get(&format!("{}/metrics", serving.url()));
        assert_eq!(page.status, 200, "{name}");
        drop(serving);
        drop(client);
    }
}

/// Connects, and is cut off for it takes too long.
fn is_cut_off(address: SocketAddr) {
    let stream = TcpStream::connect(address).unwrap();
    drip(
        &stream,
        b"GET /".iter().copied().chain(std::iter::repeat(b'a')),
    );
}

#[test]
fn an_answer_that_takes_longer_than_a_client_may_is_waited_for() {
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = std::sync::Mutex::new(goes_on);
    let set = set(move |rows| {
        goes_on.lock().unwrap().recv().unwrap();
        rows.values().to_vec()
    });
    let server = Server::new(&set.registry).watch(&set.watch).max_time(LIMIT);
    let serving = server.listen("127.0.0.1:0").unwrap();
    let mut asked = TcpStream::connect(serving.address()).unwrap();
    asked
        .write_all(b"GET /evaluate HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    // Several times as long as a client may take.
    (0..3).for_each(|_| is_cut_off(serving.address()));
    go_on.send(()).unwrap();
    // And when it has its answer, it is cut off for being silent.
    asked.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let _ = asked.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("0.75"),
        "{answer}"
    );
}
