//! How the screen looks.

use ratatui::Frame;
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Text};

use super::super::target::{State, Status};
use super::screen::Screen;
use crate::report::rows::{Row, SortKey};
use crate::report::table::{self, TableOptions};
use crate::report::text::{clean, cut_right, wrap};
use crate::report::units::plural;
use crate::report::waits::Waits;

#[cfg(test)]
mod tests;

/// Lines at the bottom: what was said, and the keys.
const BOTTOM: usize = 2;
/// Of what is left, the foot gets one line in so many, or more if rows need less.
const FOOT: usize = 3;

/// Draws the screen on all of the terminal.
pub(super) fn draw(screen: &mut Screen, frame: &mut Frame<'_>) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let mut lines = top(screen, width, height.saturating_sub(BOTTOM));
    let bottom = bottom(screen, width);
    lines.truncate(height.saturating_sub(bottom.len()));
    lines.resize(height.saturating_sub(bottom.len()), Line::default());
    lines.extend(bottom);
    frame.render_widget(Text::from(lines), area);
}

/// What stands above the bottom, in at most `height` lines.
fn top(screen: &mut Screen, width: usize, height: usize) -> Vec<Line<'static>> {
    let rows = screen.rows();
    let Some(report) = &screen.report else {
        return wrapped(&nothing_yet(screen), width).map(Line::raw).collect();
    };
    let options = TableOptions { width: Some(width), sort: screen.sort, ..TableOptions::default() };
    let table = table::lines(report, &rows, &options);
    let mut lines: Vec<Line<'static>> = table.session.into_iter().map(Line::raw).collect();
    lines.extend(wrapped(&state(screen, &rows), width).map(|line| Line::raw(line).dim()));
    for circle in Waits::of(report).circles() {
        lines.extend(wrapped(&circle, width).map(|line| Line::styled(line, ERROR)));
    }
    let left = height.saturating_sub(lines.len());
    let needed = 1 + table.heads.len() + table.rows.len();
    let foot = table.foot.len().min((left / FOOT).max(left.saturating_sub(needed + 1)));
    // A blank line before each part.
    let room = left.saturating_sub(foot + usize::from(foot > 0) + 1 + table.heads.len());
    screen.seen = room;
    screen.above = screen.above.min(table.rows.len().saturating_sub(room));
    lines.push(Line::default());
    lines.extend(table.heads.into_iter().map(|head| Line::raw(head).bold()));
    let seen = table.rows.into_iter().skip(screen.above).take(room);
    lines.extend(seen.map(Line::raw));
    if foot > 0 {
        lines.push(Line::default());
        lines.extend(table.foot.into_iter().take(foot).map(Line::raw));
    }
    lines
}

fn nothing_yet(screen: &Screen) -> String {
    match &screen.status {
        Some(Status { state: State::Stopped, .. }) => {
            format!("process {}: no session runs; s starts one", screen.pid)
        }
        _ => format!("process {}: waiting for its first answer", screen.pid),
    }
}

/// The process's state, and which rows are shown.
fn state(screen: &Screen, rows: &[Row]) -> String {
    let state = match &screen.status {
        Some(Status { state: State::Stopped, .. }) => "stopped: what the last session saw",
        Some(status) => status.state.word(),
        None => "not reached: what was seen last",
    };
    let sort = match screen.sort {
        SortKey::Wait => "wait",
        SortKey::Hold => "hold",
        SortKey::Contentions => "contentions",
    };
    let rows = plural(rows.len() as u64, "row");
    let filter = if screen.filter.is_empty() {
        String::new()
    } else {
        format!(" with '{}'", clean(&screen.filter))
    };
    let waiting = screen.report.iter().flat_map(|report| &report.pending);
    let waits = match waiting.filter(|pending| pending.waiting).count() {
        0 => String::new(),
        number => format!("; {} in progress", plural(number as u64, "wait")),
    };
    format!("{state}; {rows}{filter} by {sort}{waits}")
}

/// What was said last, and the keys; or the filter that is being typed.
fn bottom(screen: &Screen, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = match &screen.said {
        Some(said) if said.is_error => {
            wrapped(&said.text, width).map(|line| Line::styled(line, ERROR)).collect()
        }
        Some(said) => wrapped(&said.text, width).map(Line::raw).collect(),
        None => vec![Line::default()],
    };
    let keys = if screen.is_typing() {
        format!("filter: {}▏  Enter keeps it, Esc does not", clean(&screen.filter))
    } else {
        let start_or_stop = match screen.status.as_ref().map(|status| status.state) {
            Some(State::Running) => "stop",
            Some(State::Asleep) => "wake",
            _ => "start",
        };
        format!(
            "q quit  s {start_or_stop}  o order  / filter  r all rows  p/P period  b backend  ↑↓ move"
        )
    };
    lines.push(Line::raw(cut_right(&keys, width)).reversed());
    lines
}

const ERROR: Style = Style::new().fg(Color::Red);

/// The sentence in lines as wide as the terminal.
fn wrapped(sentence: &str, width: usize) -> impl Iterator<Item = String> {
    let text = wrap(&clean(sentence), Some(width.max(1)), 0);
    text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter()
}
