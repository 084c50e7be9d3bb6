//! What is shown, and what keys change of it.

use std::sync::mpsc::Receiver;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::super::protocol::Request;
use super::super::target::{State, Status};
use super::link::News;
use crate::report::model::ReportFile;
use crate::report::rows::{Row, SortKey, rows};

#[cfg(test)]
mod tests;

/// The key of every backend that samples one operation in so many.
const PERIOD: &str = "period";
/// Longer periods than this see nothing.
const LONGEST_PERIOD: u32 = 1_000_000_000;

/// What comes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Quit,
    /// The process is to do this.
    Ask(Request),
}

/// The last thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) is_error: bool,
}

#[derive(Debug)]
pub(super) struct Screen {
    pub(super) pid: u32,
    pub(super) status: Option<Status>,
    /// The session's, or that of the last one that was seen.
    pub(super) report: Option<ReportFile>,
    pub(super) sort: SortKey,
    pub(super) filter: String,
    /// The filter as it was before the user began to type one; nothing if
    /// nobody types.
    typing: Option<String>,
    pub(super) said: Option<Said>,
    /// How many rows stand above those that are seen.
    pub(super) above: usize,
    /// How many rows were seen last.
    pub(super) seen: usize,
}

impl Screen {
    pub(super) fn new(pid: u32, sort: SortKey) -> Self {
        Self {
            pid,
            status: None,
            report: None,
            sort,
            filter: String::new(),
            typing: None,
            said: None,
            above: 0,
            seen: 0,
        }
    }

    /// Takes in what has been heard; whether there was anything.
    pub(super) fn take(&mut self, news: &Receiver<News>) -> bool {
        news.try_iter().map(|news| self.hear(news)).count() > 0
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::State(state) => {
                let (status, report) = *state;
                if self.said.as_ref().is_some_and(|said| said.is_error) && self.status.is_none() {
                    // It is there again.
                    self.said = None;
                }
                self.status = Some(status);
                self.report = report.or(self.report.take());
            }
            News::Done(text) => self.said = Some(Said { text, is_error: false }),
            News::Failed(error) => {
                if !matches!(error, super::ControlError::Refused { .. }) {
                    // What was known of it is of the past.
                    self.status = None;
                }
                self.fail(error.to_string());
            }
        }
    }

    fn fail(&mut self, text: String) {
        self.said = Some(Said { text, is_error: true });
    }

    pub(super) fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// The rows that are to be shown, in order.
    pub(super) fn rows(&self) -> Vec<Row> {
        let Some(report) = &self.report else { return Vec::new() };
        let wanted = self.filter.to_lowercase();
        let fits = |text: &str| text.to_lowercase().contains(&wanted);
        let mut rows = rows(report, self.sort);
        rows.retain(|row| {
            let holder = row.blame.as_ref().is_some_and(|blame| fits(&blame.holder));
            fits(&row.label) || fits(&row.kind) || holder
        });
        rows
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Step {
        if key.kind == KeyEventKind::Release {
            return Step::Nothing;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            let quits = matches!(key.code, KeyCode::Char('c' | 'd'));
            return if quits { Step::Quit } else { Step::Nothing };
        }
        if self.is_typing() {
            self.type_filter(key.code);
            return Step::Nothing;
        }
        match key.code {
            KeyCode::Char('q') => return Step::Quit,
            KeyCode::Char('s') => return self.start_or_stop(),
            KeyCode::Char('p') => return self.change_period(longer),
            KeyCode::Char('P') => return self.change_period(shorter),
            KeyCode::Char('b') => return self.next_backend(),
            KeyCode::Char('o') => self.order_otherwise(),
            KeyCode::Char('/') => self.typing = Some(self.filter.clone()),
            KeyCode::Char('r') => self.show_all(),
            KeyCode::Up => self.above = self.above.saturating_sub(1),
            KeyCode::Down => self.above = self.above.saturating_add(1),
            KeyCode::PageUp => self.above = self.above.saturating_sub(self.seen),
            KeyCode::PageDown => self.above = self.above.saturating_add(self.seen),
            _ => {}
        }
        Step::Nothing
    }

    fn type_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.typing = None,
            KeyCode::Esc => self.filter = self.typing.take().unwrap_or_default(),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(character) => self.filter.push(character),
            _ => {}
        }
        self.above = 0;
    }

    fn show_all(&mut self) {
        self.filter.clear();
        self.above = 0;
    }

    fn order_otherwise(&mut self) {
        self.sort = match self.sort {
            SortKey::Wait => SortKey::Hold,
            SortKey::Hold => SortKey::Contentions,
            SortKey::Contentions => SortKey::Wait,
        };
        self.above = 0;
    }

    /// The status, or the complaint that there is none.
    fn known(&mut self) -> Option<Status> {
        if self.status.is_none() {
            self.fail(format!("process {} has not answered yet; wait for it", self.pid));
        }
        self.status.clone()
    }

    fn start_or_stop(&mut self) -> Step {
        match self.known().map(|status| status.state) {
            None => Step::Nothing,
            Some(State::Running) => Step::Ask(Request::Stop),
            Some(State::Stopped | State::Asleep) => Step::Ask(Request::Start),
        }
    }

    fn change_period(&mut self, change: fn(u32) -> u32) -> Step {
        let Some(status) = self.known() else { return Step::Nothing };
        let period = status.settings.iter().find(|(key, _)| key == PERIOD);
        let Some(period) = period.and_then(|(_, value)| value.parse().ok()) else {
            self.fail(format!(
                "the backend '{}' has no period to change; take another with b",
                status.backend
            ));
            return Step::Nothing;
        };
        let value = change(period).to_string();
        Step::Ask(Request::Set { key: PERIOD.to_owned(), value })
    }

    fn next_backend(&mut self) -> Step {
        let Some(status) = self.known() else { return Step::Nothing };
        let at = status.backends.iter().position(|name| *name == status.backend);
        let next = at.map_or(0, |at| at + 1) % status.backends.len().max(1);
        match status.backends.get(next) {
            Some(backend) if *backend != status.backend => {
                Step::Ask(Request::Use { backend: backend.clone(), settings: Vec::new() })
            }
            _ => {
                self.fail(
                    "the process finds no other backend; `lockscope backends` shows where it looks"
                        .to_owned(),
                );
                Step::Nothing
            }
        }
    }
}

/// The periods 1, 2, 5, 10, 20, …, ascending.
fn round_periods() -> impl Iterator<Item = u32> {
    let powers = core::iter::successors(Some(1_u32), |power| power.checked_mul(10));
    let all = powers.flat_map(|power| [1, 2, 5].map(|digit: u32| digit.saturating_mul(power)));
    all.take_while(|period| *period <= LONGEST_PERIOD)
}

fn longer(period: u32) -> u32 {
    round_periods().find(|round| *round > period).unwrap_or(period)
}

fn shorter(period: u32) -> u32 {
    round_periods().take_while(|round| *round < period).last().unwrap_or(1)
}
