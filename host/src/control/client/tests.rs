//! Processes that do not answer as they should, and what is said of them.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use serde_json::json;
use tempfile::TempDir;

use super::*;

const HELLO: &str = "{\"lockscope\":\"control\",\"version\":1}\n";
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

/// A folder in which this process listens, and says what it was told to.
struct Listens {
    dir: TempDir,
    thread: Option<JoinHandle<()>>,
}

impl Listens {
    /// Says `words`, in turn with what it hears, and then `ends` or is silent
    /// for as long as the other is there.
    fn saying(words: &[&str], ends: bool) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let listener = UnixListener::bind(dir.path().join(format!("{}.sock", own()))).unwrap();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for word in words {
                // The other may have heard enough.
                if stream.write_all(word.as_bytes()).is_err() {
                    return;
                }
                hear_line(&mut stream);
            }
            while !ends && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
        });
        Self { dir, thread: Some(thread) }
    }

    fn folder(&self) -> Folder {
        Folder::open(self.dir.path().to_owned(), system::user()).unwrap().unwrap()
    }

    fn client(&self, patience: Duration) -> Result<Client, ControlError> {
        match Client::at(&self.folder(), own(), patience)? {
            Found::Client(client) => Ok(client),
            found => panic!("{found:?}"),
        }
    }

    /// What is said of it when it greets so.
    fn complaint(self, patience: Duration) -> String {
        let error = self.client(patience).expect_err("it greets otherwise");
        said(&error)
    }

    /// What is said of it when it answers so.
    fn complaint_of_answer(self, patience: Duration) -> String {
        let mut client = self.client(LONG).expect("it greets");
        client.longest = 1 << 20;
        let answer = client.ask::<Value>(&Request::Status, patience);
        drop(client);
        said(&answer.expect_err("it answers otherwise"))
    }
}

impl Drop for Listens {
    fn drop(&mut self) {
        let heard = self.thread.take().unwrap().join();
        assert!(heard.is_ok() || std::thread::panicking());
    }
}

/// Reads to the end of a line, and no further.
fn hear_line(stream: &mut UnixStream) {
    let mut byte = [0];
    while matches!(stream.read(&mut byte), Ok(1)) && byte != *b"\n" {}
}

fn own() -> u32 {
    std::process::id()
}

fn said(error: &ControlError) -> String {
    error.to_string().replace(&own().to_string(), "PID")
}

#[test]
fn a_process_that_answers() {
    let answer = "{\"ok\":{\"a\":1,\"newer\":[]}}\n";
    let listens = Listens::saying(&[HELLO, answer, answer], true);
    let mut client = listens.client(LONG).unwrap();
    let expected = json!({ "a": 1, "newer": [] });
    assert_eq!(client.ask::<Value>(&Request::Status, LONG).unwrap(), expected);
    assert_eq!(client.ask::<Value>(&Request::Status, LONG).unwrap(), expected);
}

#[test]
fn a_process_of_another_version() {
    let newer = "{\"lockscope\":\"control\",\"version\":2,\"release\":\"9.0.0\"}\n";
    assert_eq!(
        Listens::saying(&[newer], true).complaint(LONG),
        "process PID speaks version 2 of the control protocol, and this lockscope version 1; use the lockscope that the process was started with"
    );
}

#[test]
fn a_process_that_is_something_else() {
    assert_eq!(
        Listens::saying(&["220 mail.example.org ESMTP\r\n"], true).complaint(LONG),
        "process PID does not speak the control protocol: expected a greeting, found '220 mail.example.org ESMTP\\r'; use the lockscope that the process was started with"
    );
    let long = format!("{}\n", "\u{1b}[31m".repeat(100));
    let shown = "\\u{1b}[31m".repeat(12);
    assert_eq!(
        Listens::saying(&[HELLO, &long], true).complaint_of_answer(LONG),
        format!(
            "process PID does not speak the control protocol: expected an answer, found '{shown}…'; use the lockscope that the process was started with"
        )
    );
}

#[test]
fn a_process_that_has_no_room() {
    let busy =
        "{\"error\":{\"kind\":\"busy\",\"message\":\"there is no room; try again later\"}}\n";
    let expected = "process PID answers: there is no room; try again later";
    assert_eq!(Listens::saying(&[busy], true).complaint(LONG), expected);
    assert_eq!(Listens::saying(&[HELLO, busy], true).complaint_of_answer(LONG), expected);
}

#[test]
fn a_process_that_is_silent() {
    const EXPECTED: &str = "process PID does not answer within 0.2 s; it may be stopped (look with `ps`) or busy with another command: try again";
    assert_eq!(Listens::saying(&[], false).complaint(SHORT), EXPECTED);
    assert_eq!(Listens::saying(&["{\"lock"], false).complaint(SHORT), EXPECTED);
    assert_eq!(Listens::saying(&[HELLO], false).complaint_of_answer(SHORT), EXPECTED);
    assert_eq!(Listens::saying(&[HELLO, "{"], false).complaint_of_answer(SHORT), EXPECTED);
}

#[test]
fn a_process_that_ends() {
    const EXPECTED: &str = "process PID closed the connection before it had answered; it has probably ended: look with `lockscope ps`";
    assert_eq!(Listens::saying(&[], true).complaint(LONG), EXPECTED);
    assert_eq!(Listens::saying(&[HELLO], true).complaint_of_answer(LONG), EXPECTED);
    assert_eq!(Listens::saying(&[HELLO, "{\"ok\":"], true).complaint_of_answer(LONG), EXPECTED);
}

#[test]
fn an_answer_without_an_end() {
    let long = "x".repeat(4 << 20);
    assert_eq!(
        Listens::saying(&[HELLO, &long], false).complaint_of_answer(LONG),
        "the answer of process PID is longer than 1048576 bytes; let it write its report to a file, with `lockscope ctl PID stop`"
    );
}

#[test]
fn a_socket_of_another_process() {
    let listens = Listens::saying(&[], true);
    let folder = listens.folder();
    std::fs::rename(folder.socket(own()), folder.socket(7)).unwrap();
    let error = Client::at(&folder, 7, LONG).expect_err("it is not process 7");
    assert_eq!(
        said(&error).replace(listens.dir.path().to_str().unwrap(), "DIR"),
        format!(
            "DIR/7.sock is not the socket of process 7: process PID of the user with number {} listens there; if processes of two containers share the folder, give each container an XDG_RUNTIME_DIR of its own",
            system::user()
        )
    );
    // It was let go before it said anything.
}

#[test]
fn a_socket_that_nobody_listens_at() {
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let folder = Folder::open(dir.path().to_owned(), system::user()).unwrap().unwrap();
    // No process has this number.
    let nobody = 1 << 30;
    assert!(matches!(Client::at(&folder, nobody, LONG), Ok(Found::Nothing)));
    drop(UnixListener::bind(folder.socket(nobody)).unwrap());
    assert!(matches!(Client::at(&folder, nobody, LONG), Ok(Found::Stale)));
    assert!(!folder.socket(nobody).exists());
}
