//! Requests, greetings and answers, from lines and to lines.

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{0,12}", any::<String>()]
}

fn settings() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map(text(), text(), 0..5).prop_map(|map| map.into_iter().collect())
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Status),
        Just(Request::Start),
        Just(Request::Stop),
        Just(Request::Snapshot),
        (text(), text()).prop_map(|(key, value)| Request::Set { key, value }),
        (text(), settings()).prop_map(|(backend, settings)| Request::Use { backend, settings }),
        text().prop_map(|cause| Request::Wake { cause }),
    ]
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was_sent(request in request()) {
        let line = request.line();
        prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        prop_assert_eq!(Request::parse(&line), Ok(request));
    }

    #[test]
    fn no_part_of_a_request_is_one(request in request(), part in 0.0..1.0_f64) {
        let line = request.line();
        // Its line break may be missing, its last bracket may not.
        let length = ((line.len() - 1) as f64 * part) as usize;
        let refusal = Request::parse(&line[..length]).expect_err("it is cut");
        prop_assert_eq!(refusal.kind, Kind::Request);
    }

    #[test]
    fn any_line_is_a_request_or_refused_in_a_short_sentence(
        line in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Err(refusal) = Request::parse(&line) {
            prop_assert!(refusal.message.len() < 300, "{}", refusal.message);
        }
        let _ = Hello::refusal(&line);
    }

    #[test]
    fn a_request_with_a_byte_changed_does_no_harm(
        request in request(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut line = request.line();
        let at = at.index(line.len());
        line[at] = byte;
        if let Err(refusal) = Request::parse(&line) {
            prop_assert_eq!(refusal.kind, Kind::Request);
        }
    }
}

#[test]
fn the_fields_of_a_request_may_stand_in_any_order() {
    let line = br#" {"value": "7", "command": "set", "key": "period"} "#;
    let expected = Request::Set { key: "period".to_owned(), value: "7".to_owned() };
    assert_eq!(Request::parse(line), Ok(expected));
}

#[test]
fn a_kind_of_refusal_that_is_not_known_is_still_a_refusal() {
    let line = br#"{"error": {"kind": "tired", "message": "try tomorrow", "hours": 8}}"#;
    let answer: Answer<Value> = serde_json::from_slice(line).unwrap();
    assert_eq!(answer, Answer::Error(Refusal::new(Kind::Other, "try tomorrow".to_owned())));
}

#[test]
fn what_is_not_a_greeting_is_none() {
    for line in [
        &b""[..],
        b"{}",
        b"{\"lockscope\":\"report\",\"version\":1}",
        b"{\"lockscope\":\"control\"}",
        b"{\"lockscope\":\"control\",\"version\":\"1\"}",
        b"{\"lockscope\":\"control\",\"version\":-1}",
    ] {
        assert_eq!(Hello::parse(line), None);
        assert_eq!(Hello::refusal(line).map(|refusal| refusal.kind), Some(Kind::Request));
    }
    let future = b"{\"lockscope\":\"control\",\"version\":7,\"colour\":\"blue\"}";
    assert_eq!(Hello::parse(future).map(|hello| hello.version), Some(7));
}
