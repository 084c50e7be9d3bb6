//! Keys, and what comes of them.

use super::super::super::error::ControlError;
use super::super::super::fake::status;
use super::*;
use crate::report::sample::populated;

fn screen() -> Screen {
    let mut screen = Screen::new(4711, SortKey::Wait);
    screen.hear(News::State(Box::new((status(), Some(populated())))));
    screen
}

fn with(change: impl FnOnce(&mut Status)) -> Screen {
    let mut screen = screen();
    let mut status = status();
    change(&mut status);
    screen.hear(News::State(Box::new((status, None))));
    screen
}

fn press(screen: &mut Screen, key: char) -> Step {
    screen.press(KeyCode::Char(key).into())
}

/// All of `text`, of which no key asks for anything.
fn enter(screen: &mut Screen, text: &str) {
    for key in text.chars() {
        assert_eq!(press(screen, key), Step::Nothing);
    }
}

fn labels(screen: &Screen) -> Vec<String> {
    screen.rows().into_iter().map(|row| row.label).collect()
}

fn error(screen: &Screen) -> &str {
    let said = screen.said.as_ref().expect("something was said");
    assert!(said.is_error);
    &said.text
}

fn set_period(value: &str) -> Step {
    Step::Ask(Request::Set { key: "period".to_owned(), value: value.to_owned() })
}

#[test]
fn s_stops_what_runs_and_starts_or_wakes_the_rest() {
    assert_eq!(press(&mut screen(), 's'), Step::Ask(Request::Stop));
    for state in [State::Stopped, State::Asleep] {
        let mut screen = with(|status| status.state = state);
        assert_eq!(press(&mut screen, 's'), Step::Ask(Request::Start));
    }
}

#[test]
fn p_takes_the_next_round_period() {
    let periods =
        [("1", "2", "1"), ("100", "200", "50"), ("37", "50", "20"), ("4999", "5000", "2000")];
    for (period, longer, shorter) in periods {
        let mut screen = with(|status| status.settings[0].1 = period.to_owned());
        assert_eq!(press(&mut screen, 'p'), set_period(longer));
        assert_eq!(press(&mut screen, 'P'), set_period(shorter));
    }
    let mut screen = with(|status| status.settings[0].1 = u32::MAX.to_string());
    assert_eq!(press(&mut screen, 'p'), set_period(&u32::MAX.to_string()));
    assert_eq!(press(&mut screen, 'P'), set_period("1000000000"));
}

#[test]
fn a_backend_without_period_is_named() {
    let mut screen = with(|status| status.settings.clear());
    assert_eq!(press(&mut screen, 'p'), Step::Nothing);
    assert_eq!(
        error(&screen),
        "the backend 'wrapper' has no period to change; take another with b"
    );
}

#[test]
fn b_takes_one_backend_after_the_other() {
    for (now, next) in
        [("adaptive", "lazy"), ("lazy", "wrapper"), ("wrapper", "adaptive"), ("gone", "adaptive")]
    {
        let mut screen = with(|status| status.backend = now.to_owned());
        let request = Request::Use { backend: next.to_owned(), settings: Vec::new() };
        assert_eq!(press(&mut screen, 'b'), Step::Ask(request));
    }
    for backends in [vec![], vec!["wrapper".to_owned()]] {
        let mut screen = with(|status| status.backends = backends);
        assert_eq!(press(&mut screen, 'b'), Step::Nothing);
        assert_eq!(
            error(&screen),
            "the process finds no other backend; `lockscope backends` shows where it looks"
        );
    }
}

#[test]
fn nothing_is_asked_before_the_process_has_answered() {
    for key in ['s', 'p', 'P', 'b'] {
        let mut screen = Screen::new(4711, SortKey::Wait);
        assert_eq!(press(&mut screen, key), Step::Nothing);
        assert_eq!(error(&screen), "process 4711 has not answered yet; wait for it");
    }
}

#[test]
fn o_orders_otherwise() {
    let mut screen = screen();
    let mut orders = Vec::new();
    for _ in 0..3 {
        assert_eq!(press(&mut screen, 'o'), Step::Nothing);
        orders.push(screen.sort);
    }
    assert_eq!(orders, [SortKey::Hold, SortKey::Contentions, SortKey::Wait]);
}

#[test]
fn rows_are_filtered_while_the_filter_is_typed() {
    let mut screen = screen();
    assert_eq!(labels(&screen).len(), 4);
    screen.above = 3;
    // Keys of the table are letters now.
    enter(&mut screen, "/POOLs");
    assert_eq!(labels(&screen), [""; 0]);
    screen.press(KeyCode::Backspace.into());
    assert_eq!(labels(&screen), ["src/pool.rs:41"]);
    assert_eq!(screen.above, 0);
    assert_eq!(screen.press(KeyCode::Enter.into()), Step::Nothing);
    assert!(!screen.is_typing());
    assert_eq!(labels(&screen), ["src/pool.rs:41"]);
    // By who is to blame, by kind, and by a mistake.
    enter(&mut screen, "/");
    (0..4).for_each(|_| drop(screen.press(KeyCode::Backspace.into())));
    enter(&mut screen, "index.rs:88");
    assert_eq!(labels(&screen), ["index"]);
    screen.press(KeyCode::Esc.into());
    assert_eq!(labels(&screen), ["src/pool.rs:41"]);
    assert_eq!(press(&mut screen, 'r'), Step::Nothing);
    assert_eq!(labels(&screen).len(), 4);
}

#[test]
fn q_and_control_c_quit() {
    assert_eq!(press(&mut screen(), 'q'), Step::Quit);
    let control = |key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
    assert_eq!(screen().press(control('c')), Step::Quit);
    assert_eq!(screen().press(control('s')), Step::Nothing);
    let mut screen = screen();
    enter(&mut screen, "/q");
    assert_eq!(screen.filter, "q");
    assert_eq!(screen.press(control('c')), Step::Quit);
}

#[test]
fn a_key_that_is_let_go_is_no_key() {
    let mut key = KeyEvent::from(KeyCode::Char('q'));
    key.kind = KeyEventKind::Release;
    assert_eq!(screen().press(key), Step::Nothing);
}

#[test]
fn what_was_recorded_is_shown_when_the_session_has_ended() {
    let screen = with(|status| status.state = State::Stopped);
    assert_eq!(screen.report, Some(populated()));
}

#[test]
fn a_process_that_ends_is_shown_as_it_was() {
    let mut screen = screen();
    screen.hear(News::Failed(ControlError::Gone { pid: 4711 }));
    assert_eq!(
        error(&screen),
        "process 4711 closed the connection before it had answered; it has probably ended: look with `lockscope ps`"
    );
    assert_eq!(labels(&screen).len(), 4);
    assert_eq!(press(&mut screen, 's'), Step::Nothing);
    // It was only slow.
    screen.hear(News::State(Box::new((status(), Some(populated())))));
    assert_eq!(screen.said, None);
}

#[test]
fn what_the_process_says_stays_until_something_else_is_said() {
    let mut screen = screen();
    let message = "the value is too great; take a smaller one".to_owned();
    screen.hear(News::Failed(ControlError::Refused { pid: 4711, message }));
    let state = || News::State(Box::new((status(), None)));
    screen.hear(state());
    assert_eq!(error(&screen), "process 4711 answers: the value is too great; take a smaller one");
    screen.hear(News::Done("process 4711: period = 50".to_owned()));
    screen.hear(state());
    let expected = Said { text: "process 4711: period = 50".to_owned(), is_error: false };
    assert_eq!(screen.said, Some(expected));
}
