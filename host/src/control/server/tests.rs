//! Clients of all kinds, and what the process takes of them.

mod hostile;
mod patience;

use std::io::{BufRead, BufReader, Write};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::fake::{Fake, status};
use super::*;

const HELLO: &str = "{\"lockscope\":\"control\",\"version\":1}\n";

/// A server in a folder of its own, for as long as a test takes.
struct Served {
    folder: TempDir,
    fake: Arc<Fake>,
    listening: Arc<Listening>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn new() -> Self {
        Self::with(Fake::new(), Limits::DEFAULT)
    }

    fn with(fake: Fake, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let fake = Arc::new(fake);
        let listening = Arc::new(Listening::new(listener, fake.clone()).unwrap());
        let server = Server::new(Arc::clone(&listening), limits);
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { folder, fake, listening, thread }
    }

    /// A connection, of which nothing was read or written.
    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.path().join("sock")).unwrap();
        // A test that fails is not to hang.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// A connection after both have greeted.
    fn client(&self) -> Lines {
        let mut lines = Lines(BufReader::new(self.connect()));
        assert_eq!(lines.next()["version"], 1);
        lines.send(HELLO);
        lines
    }

    /// The server answers, as it does before anybody has tried to hinder it.
    fn is_well(&self) {
        let mut client = self.client();
        client.send("{\"command\":\"status\"}\n");
        assert_eq!(client.next(), json!({ "ok": status() }));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.listening.close();
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
    }
}

struct Lines(BufReader<UnixStream>);

impl Lines {
    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line; nothing at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn next(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Kind and sentence of a refusal.
    fn refusal(&mut self) -> (String, String) {
        let answer = self.next();
        let text = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("message"))
    }

    fn ends(&mut self) {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(_) => assert_eq!(line, ""),
            // It was let go before all that it had sent was read.
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn every_command_is_done_and_answered() {
    let served = Served::new();
    let mut client = served.client();
    client.send(concat!(
        "{\"command\":\"stop\"}\n",
        "{\"command\":\"snapshot\"}\n",
        "{\"command\":\"set\",\"key\":\"period\",\"value\":\"50\"}\n",
        "{\"command\":\"use\",\"backend\":\"lazy\",\"settings\":{\"b\":\"2\",\"a\":\"1\"}}\r\n",
        "{\"command\":\"use\",\"backend\":\"lazy\"}\n",
        "{\"command\":\"wake\",\"cause\":\"why not\"}\n",
        "{\"command\":\"start\"}\n",
    ));
    let ended = json!({ "session": 1, "backend": "wrapper", "report": "/srv/lockscope.json" });
    let begun = json!({ "session": 2, "backend": "lazy", "woken": false });
    let switched = json!({ "ok": { "ended": ended, "begun": begun } });
    assert_eq!(client.next(), json!({ "ok": ended }));
    assert_eq!(client.next(), json!({ "ok": served.fake.report }));
    assert_eq!(client.next(), json!({ "ok": null }));
    assert_eq!(client.next(), switched);
    assert_eq!(client.next(), switched);
    assert_eq!(client.next(), json!({ "ok": null }));
    let running = "a session of the backend 'wrapper' is running in this process, and there can be one at a time; stop it first";
    assert_eq!(client.refusal(), ("failed".to_owned(), running.to_owned()));
    assert_eq!(
        served.fake.told(),
        [
            "stop",
            "snapshot",
            "set period = 50",
            "use lazy [(\"b\", \"2\"), (\"a\", \"1\")]",
            "use lazy []",
            "wake why not",
            "start",
        ]
    );
    served.is_well();
}

#[test]
fn the_greeting_says_what_is_spoken() {
    let served = Served::new();
    let hello = Lines(BufReader::new(served.connect())).next();
    let release = env!("CARGO_PKG_VERSION");
    assert_eq!(hello, json!({ "lockscope": "control", "version": 1, "release": release }));
}

#[test]
fn a_client_of_another_version_is_told_so() {
    let served = Served::new();
    for version in ["0", "2", "18446744073709551615"] {
        let mut client = Lines(BufReader::new(served.connect()));
        client.next();
        client.send(&format!(
            "{{\"lockscope\":\"control\",\"version\":{version},\"newer\":[]}}\n{{\"command\":\"stop\"}}\n"
        ));
        let expected = format!(
            "this process speaks version 1 of the control protocol, the client version {version}; use the lockscope that the process was started with, which is {}",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(client.refusal(), ("version".to_owned(), expected));
        client.ends();
    }
    assert_eq!(served.fake.told(), [""; 0]);
}

#[test]
fn a_client_that_does_not_greet_is_told_how() {
    let served = Served::new();
    let mut client = Lines(BufReader::new(served.connect()));
    client.next();
    client.send("{\"command\":\"stop\"}\n");
    let expected = format!(
        "the first line must be {{\"lockscope\":\"control\",\"version\":1,\"release\":\"{}\"}}; greet before you ask",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(client.refusal(), ("request".to_owned(), expected));
    client.ends();
    assert_eq!(served.fake.told(), [""; 0]);
}

#[test]
fn a_panic_is_answered_and_the_next_request_is_done() {
    let served = Served::new();
    let mut client = served.client();
    client.send("{\"command\":\"set\",\"key\":\"panic\",\"value\":\"\"}\n{\"command\":\"stop\"}\n");
    let expected = "the host panicked, and said more on the process's stderr; this is a defect of lockscope, please report it";
    assert_eq!(client.refusal(), ("failed".to_owned(), expected.to_owned()));
    assert_eq!(client.next()["ok"]["session"], 1);
    served.is_well();
}

#[test]
fn another_takes_over_while_clients_are_connected() {
    let served = Served::new();
    let mut client = served.client();
    client.send("{\"command\":\"stop\"}\n");
    assert_eq!(client.next()["ok"]["session"], 1);
    let other = Arc::new(Fake::new());
    served.listening.hand_over(other.clone());
    client.send("{\"command\":\"status\"}\n");
    assert_eq!(client.next()["ok"]["pid"], 4711);
    assert_eq!((served.fake.told(), other.told()), (vec!["stop".into()], vec!["status".into()]));
}

#[test]
fn a_client_that_sends_no_more_is_still_answered() {
    let served = Served::new();
    let mut client = served.client();
    client.send("{\"command\":\"status\"}\n{\"command\":\"stop\"}\n");
    client.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(client.next()["ok"]["pid"], 4711);
    assert_eq!(client.next()["ok"]["session"], 1);
    client.ends();
}

#[test]
fn a_closed_server_finishes_its_answers_and_takes_no_more_clients() {
    let mut served = Served::with(large(), Limits::DEFAULT);
    let mut client = served.client();
    client.send("{\"command\":\"snapshot\"}\n");
    // It is being written, and cannot end before it is read.
    while served.fake.told().is_empty() {
        std::thread::yield_now();
    }
    served.listening.close();
    let refused = UnixStream::connect(served.folder.path().join("sock")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(client.next(), json!({ "ok": served.fake.report }));
    client.ends();
    served.thread.take().unwrap().join().unwrap();
    served.thread = Some(std::thread::spawn(|| ()));
}

/// A process whose report is longer than a socket holds.
fn large() -> Fake {
    let mut fake = Fake::new();
    fake.report.notes = vec!["a long note".repeat(1_000); 500];
    fake
}
