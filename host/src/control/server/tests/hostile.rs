//! Clients that send what is no request, or go before it is one.

use std::io::Read;

use proptest::prelude::*;

use super::*;

const CONVERSATION: &str = concat!(
    "{\"lockscope\":\"control\",\"version\":1}\n",
    "{\"command\":\"set\",\"key\":\"period\",\"value\":\"50\"}\n",
    "{\"command\":\"snapshot\"}\n",
);

#[test]
fn a_client_may_go_at_any_byte_that_it_sends() {
    let served = Served::new();
    for length in 0..=CONVERSATION.len() {
        let mut client = Lines(BufReader::new(served.connect()));
        // Whoever goes before it has been greeted is not asked for anything.
        if length.is_multiple_of(2) {
            client.next();
        }
        client.send(&CONVERSATION[..length]);
    }
    served.is_well();
    let set = "set period = 50";
    let done = served.fake.told().into_iter().filter(|told| told == set).count();
    // Nothing is done that was not said to its end.
    let whole = CONVERSATION.lines().take(2).map(|line| line.len() + 1).sum::<usize>();
    let all = whole..=CONVERSATION.len();
    let greeted = all.clone().filter(|length| length.is_multiple_of(2)).count();
    assert!((greeted..=all.count()).contains(&done), "{done}");
}

#[test]
fn a_client_may_go_at_any_byte_that_it_reads() {
    let served = Served::with(large(), Limits::DEFAULT);
    for length in [0, 1, 2, 10, 59, 60, 61, 100, 4_095, 4_096, 4_097, 300_000, 3_000_000] {
        let mut stream = served.connect();
        stream.write_all(CONVERSATION.as_bytes()).unwrap();
        stream.read_exact(&mut vec![0; length]).unwrap();
    }
    served.is_well();
}

#[test]
fn garbage_is_answered_line_by_line() {
    let served = Served::new();
    let mut client = served.client();
    for (line, expected) in [
        ("", "EOF while parsing"),
        ("{", "EOF while parsing"),
        ("null", "must be a JSON object; send one in a line"),
        ("[1,2]", "must be a JSON object; send one in a line"),
        ("{\"command\":\"status\"", "EOF while parsing"),
        ("{\"command\":\"status\"}}", "trailing characters"),
        ("{\"command\":7}", "the field 'command' must be a string; send one"),
        ("{}", "the field 'command' is missing; add it"),
        (
            "{\"command\":\"delete everything that there is in all of the world\"}",
            "no command is named 'delete everything that there is in all o…'; this process knows status, start, stop, snapshot, set, use, wake",
        ),
        ("{\"command\":\"set\",\"key\":\"period\"}", "the field 'value' is missing; add it"),
        ("{\"command\":\"use\",\"backend\":\"a\",\"settings\":7}", "must be an object of strings"),
        (
            "{\"command\":\"use\",\"backend\":\"a\",\"settings\":{\"period\":7}}",
            "must be an object of strings; send one, as in {\"period\": \"100\"}",
        ),
        (
            "{\"command\":\"stop\",\"gently\":true}",
            "the command 'stop' has no field 'gently'; remove it, or use a process with a newer lockscope",
        ),
        (&"[".repeat(60_000), "recursion limit exceeded"),
        ("GET / HTTP/1.1", "must be a JSON object in a line, and this line is none"),
    ] {
        client.send(&format!("{line}\n"));
        let (kind, message) = client.refusal();
        assert_eq!(kind, "request");
        assert!(message.contains(expected), "{line}: {message}");
    }
    client.0.get_mut().write_all(b"\xff\xfe\x00\n").unwrap();
    assert_eq!(client.refusal().0, "request");
    assert_eq!(served.fake.told(), [""; 0]);
    served.is_well();
}

#[test]
fn a_line_without_an_end_is_no_request() {
    let served = Served::new();
    let mut client = served.client();
    client.send("{\"command\":\"stop\"}");
    client.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    let expected = "the line does not end; end it with a line break";
    assert_eq!(client.refusal(), ("request".to_owned(), expected.to_owned()));
    client.ends();
    assert_eq!(served.fake.told(), [""; 0]);
}

/// The longest request that is read, and one that is a byte longer.
#[test]
fn a_request_may_be_as_long_as_it_says_and_no_longer() {
    let served = Served::new();
    let mut client = served.client();
    let request = |length: usize| {
        let frame = "{\"command\":\"wake\",\"cause\":\"\"}\n".len();
        format!("{{\"command\":\"wake\",\"cause\":\"{}\"}}\n", "x".repeat(length - frame))
    };
    client.send(&request(LONGEST_REQUEST));
    assert_eq!(client.next(), json!({ "ok": null }));
    // It may be let go before the last byte is sent.
    let _ = client.0.get_mut().write_all(request(LONGEST_REQUEST + 1).as_bytes());
    assert_eq!(client.refusal(), refusal_of_length());
    client.ends();
}

fn refusal_of_length() -> (String, String) {
    let expected =
        "a request is at most 65536 bytes long, its line break included; send a shorter one";
    ("request".to_owned(), expected.to_owned())
}

#[test]
fn a_gigabyte_is_cut_off_early() {
    let served = Served::new();
    for greets in [true, false] {
        let mut client = if greets {
            served.client()
        } else {
            let mut client = Lines(BufReader::new(served.connect()));
            client.next();
            client
        };
        let piece = [b'x'; 1 << 16];
        let mut sent = 0_u64;
        while sent < 1 << 30 {
            match client.0.get_mut().write(&piece) {
                Ok(written) => sent += written as u64,
                Err(_) => break,
            }
        }
        // The longest request, and what the kernel keeps of what nobody reads.
        assert!(sent < 4 << 20, "{sent}");
        assert_eq!(client.refusal(), refusal_of_length());
    }
    served.is_well();
}

#[test]
fn whoever_only_sends_is_not_read_for_ever() {
    let served = Served::new();
    let mut client = served.client();
    // Answers are not taken, so questions are not either: both are bounded.
    client.0.get_ref().set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let request = "{\"command\":\"snapshot\"}\n".repeat(1_000);
    let mut sent = 0_u64;
    while sent < 1 << 30 {
        match client.0.get_mut().write(request.as_bytes()) {
            Ok(written) => sent += written as u64,
            Err(_) => break,
        }
    }
    assert!(sent < 4 << 20, "{sent}");
    served.is_well();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_sent_ends_the_server(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..64),
                Just(HELLO.as_bytes().to_vec()),
                Just(b"{\"command\":\"status\"}\n".to_vec()),
                Just(b"{\"command\":\"start\"".to_vec()),
                Just(b"\n".to_vec()),
            ],
            0..12,
        ),
    ) {
        let served = Served::new();
        let mut stream = served.connect();
        for piece in pieces {
            // It may have been let go already.
            if stream.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Write);
        // Whatever it was, every answer is a line of JSON.
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers);
        for line in answers.split_inclusive(|byte| *byte == b'\n') {
            prop_assert!(serde_json::from_slice::<Value>(line).is_ok(), "{:?}", line);
        }
        served.is_well();
    }
}
