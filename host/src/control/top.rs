//! `lockscope top`: the table of a running process as it grows.
//!
//! ```text
//! keys ──► screen ──orders──► link (a thread) ──► the process
//!            │   ◄───news────
//!            ▼
//!          view ──► the terminal
//! ```

mod link;
mod screen;
mod signals;
mod view;

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::client::Client;
use super::error::ControlError;
use super::protocol::Request;
use crate::error::HostError;
use crate::report::table::SortKey;
use crate::run::{Ending, become_ending};
use link::News;
use screen::{Screen, Step};
use signals::Signals;

/// How long the process has to greet before the terminal is touched.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a signal or news can be late.
const LOOK: Duration = Duration::from_millis(100);

/// What stands below the help of `lockscope top`.
pub(crate) const KEYS: &str = "\
Keys:
  s            start or wake the session, or stop it
  p, P         longer or shorter sampling period
  b            next backend
  o            order by wait, hold or contentions
  /            filter rows by a text; Enter keeps it, Esc does not
  r            show all rows again
  arrows, PgUp, PgDn  move through the rows
  q            quit; the process goes on as it is";

/// What `lockscope top` is asked for.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TopArgs {
    /// The process; `lockscope ps` lists those that can be controlled.
    #[arg(value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pid: u32,
    /// What the table is ordered by.
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    sort: SortKey,
}

impl TopArgs {
    /// Shows the process until the user has seen enough. Ends this process if
    /// a signal does.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: the process cannot be reached, or there is no
    /// terminal.
    pub(crate) fn execute(self) -> Result<(), HostError> {
        let pid = self.pid;
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(ControlError::NoTerminal { pid }.into());
        }
        let client = Client::to(pid, PATIENCE)?;
        // Before the thread, which is to have the same mask.
        let signals = Signals::block();
        let (orders, news) = link::spawn(pid, client)?;
        let failed = |source| ControlError::Terminal { pid, source };
        // Restores the terminal on a panic as well.
        let mut terminal = ratatui::try_init().map_err(failed)?;
        let shown = show(&mut terminal, Screen::new(pid, self.sort), &signals, &orders, &news);
        let restored = ratatui::try_restore();
        if let Some(signal) = shown.map_err(failed)? {
            become_ending(Ending::Killed(signal));
        }
        Ok(restored.map_err(failed)?)
    }
}

/// Shows until a key or a signal ends it; then with that signal's number.
fn show(
    terminal: &mut DefaultTerminal,
    mut screen: Screen,
    signals: &Signals,
    orders: &Sender<Request>,
    news: &Receiver<News>,
) -> io::Result<Option<i32>> {
    let mut is_shown = false;
    loop {
        if screen.take(news) || !is_shown {
            terminal.draw(|frame| view::draw(&mut screen, frame))?;
            is_shown = true;
        }
        let came = event::poll(LOOK)?;
        if let Some(signal) = signals.pending() {
            return Ok(Some(signal));
        }
        if !came {
            continue;
        }
        // The terminal may have another size as well.
        is_shown = false;
        let Event::Key(key) = event::read()? else { continue };
        match screen.press(key) {
            Step::Nothing => {}
            Step::Quit => return Ok(None),
            // The link has ended only if it panicked, which has been told.
            Step::Ask(request) => drop(orders.send(request)),
        }
    }
}
