//! Clients that take their time.

use std::io::Read;

use super::*;

/// Limits that a test can wait for, in which nothing else is late.
const SHORT: Duration = Duration::from_millis(100);

fn timeout(message: &str) -> (String, String) {
    ("timeout".to_owned(), message.to_owned())
}

#[test]
fn who_does_not_greet_is_let_go() {
    let served = Served::with(Fake::new(), Limits { greeting: SHORT, ..Limits::DEFAULT });
    let mut silent = Lines(BufReader::new(served.connect()));
    let mut slow = Lines(BufReader::new(served.connect()));
    slow.next();
    slow.send("{\"lockscope\":");
    silent.next();
    let expected = timeout("the greeting did not come in time; connect again");
    assert_eq!(silent.refusal(), expected);
    silent.ends();
    assert_eq!(slow.refusal(), expected);
    slow.ends();
}

#[test]
fn who_asks_for_nothing_is_let_go() {
    let served = Served::with(Fake::new(), Limits { idle: SHORT, ..Limits::DEFAULT });
    let mut client = served.client();
    client.send("{\"command\":\"status\"}\n");
    assert_eq!(client.next()["ok"]["pid"], 4711);
    let expected = timeout("nothing was asked for a long time; connect again");
    assert_eq!(client.refusal(), expected);
    client.ends();
    let mut client = served.client();
    assert_eq!(client.refusal(), expected);
}

/// A byte now and then is no reason to wait longer.
#[test]
fn who_does_not_end_a_request_is_let_go() {
    let served = Served::with(Fake::new(), Limits { request: SHORT, ..Limits::DEFAULT });
    let mut client = served.client();
    let begun = Instant::now();
    while client.0.get_mut().write_all(b" ").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it is read for ever");
        std::thread::sleep(SHORT / 10);
    }
    assert_eq!(client.refusal(), timeout("the request did not end in time; connect again"));
}

#[test]
fn who_asks_again_and_again_stays() {
    let limits =
        Limits { idle: SHORT * 5, request: SHORT * 5, greeting: SHORT * 5, ..Limits::DEFAULT };
    let served = Served::with(Fake::new(), limits);
    let mut client = served.client();
    for _ in 0..10 {
        std::thread::sleep(SHORT);
        client.send("{\"command\":\"status\"}\n");
        assert_eq!(client.next()["ok"]["pid"], 4711);
    }
}

#[test]
fn who_reads_slowly_holds_up_nobody() {
    let served = Served::with(large(), Limits::DEFAULT);
    let mut slow = served.client();
    slow.send("{\"command\":\"snapshot\"}\n");
    let mut read = Vec::new();
    while !read.ends_with(b"\n") {
        served.is_well();
        let mut piece = vec![0; 1 << 18];
        let length = slow.0.read(&mut piece).unwrap();
        read.extend_from_slice(&piece[..length]);
    }
    let answer: Value = serde_json::from_slice(&read).unwrap();
    assert_eq!(answer, json!({ "ok": served.fake.report }));
}

#[test]
fn who_does_not_take_an_answer_is_let_go() {
    let served = Served::with(large(), Limits { answer: SHORT, ..Limits::DEFAULT });
    let mut client = served.client();
    client.send("{\"command\":\"snapshot\"}\n");
    // From here on the answer is being written.
    client.0.fill_buf().unwrap();
    std::thread::sleep(SHORT * 5);
    served.is_well();
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).unwrap();
    assert!(!rest.ends_with(b"\n"), "all of it was there");
}

#[test]
fn there_is_room_for_so_many_and_for_the_next_when_one_has_gone() {
    let served = Served::new();
    let mut clients: Vec<Lines> = (0..Limits::DEFAULT.clients).map(|_| served.client()).collect();
    for _ in 0..100 {
        let mut more = Lines(BufReader::new(served.connect()));
        let expected = "8 clients are connected, and there is no room for more; end one of them, or try again later";
        assert_eq!(more.refusal(), ("busy".to_owned(), expected.to_owned()));
        more.ends();
    }
    // All of them are as they were.
    for client in &mut clients {
        client.send("{\"command\":\"status\"}\n");
        assert_eq!(client.next()["ok"]["pid"], 4711);
    }
    clients.pop();
    // It is seen to have gone as soon as the server looks.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut client = Lines(BufReader::new(served.connect()));
        if client.next()["version"] == 1 {
            break;
        }
        assert!(Instant::now() < deadline, "there is no room");
    }
}
