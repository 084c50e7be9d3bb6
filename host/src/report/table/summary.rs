//! What stands above and below the table.

use super::super::model::{Lock, ReportFile, SessionInfo};
use super::super::rows::{Row, idling};
use super::super::text::{clean, wrap};
use super::super::units::{count, duration, error, plural, thousands};
use super::super::waits::Waits;
use super::{Styles, TableOptions, modes, styled};

/// How many waits in progress are told one by one.
const WAITS: usize = 20;
/// Why there is no row, if nothing else can be the reason.
const SLEPT: &str = "Nothing was recorded, because the backend has slept all the while.";
/// How many windows are told one by one: the last ones.
const WINDOWS: usize = 10;
/// More periods than this are told as a range.
const PERIODS: usize = 3;
const INDENT: usize = 2;

/// The session in a sentence.
pub(super) fn head(report: &ReportFile, options: &TableOptions) -> String {
    let session = &report.session;
    let command = clean(&session.command.join(" "));
    let program = if command.is_empty() { "a program" } else { command.as_str() };
    let so_far = if session.complete { "" } else { " so far" };
    let cost = session.sample_cost_ns.map(|ns| format!(" of about {} each", duration(ns)));
    let cost = cost.unwrap_or_default();
    let sentence = format!(
        "{program} (pid {}): {}{so_far} under {} {}, {}, {}{cost}",
        session.pid,
        duration(session.length_ns as f64),
        clean(&session.backend),
        clean(&session.backend_version),
        periods(session),
        plural(session.samples, "sample"),
    );
    wrap(&sentence, options.width, INDENT) + "\n"
}

/// The periods in words.
pub(crate) fn periods(session: &SessionInfo) -> String {
    let every = |period: &u32| match period {
        1 => "every operation".to_owned(),
        _ => format!("one operation in {}", thousands(u64::from(*period))),
    };
    match session.periods.as_slice() {
        [] => "contended operations only".to_owned(),
        all if all.len() <= PERIODS => all.iter().map(every).collect::<Vec<_>>().join(", then "),
        all => {
            let (least, most) = (all.iter().min(), all.iter().max());
            let bounds = [least, most].map(|bound| bound.map_or_else(String::new, every));
            format!("{} periods from {} to {}", all.len(), bounds[0], bounds[1])
        }
    }
}

/// What the table does not show, and what a reader should know.
pub(super) fn foot(
    report: &ReportFile,
    rows: &[Row],
    options: &TableOptions,
    styles: Styles,
) -> String {
    let mut lines = Vec::new();
    let mut say = |style, sentence: &str| {
        lines.push(styled(style, &wrap(sentence, options.width, INDENT)));
    };
    // A wait that has not ended is no contention yet.
    let nobody_waits = !report.pending.iter().any(|pending| pending.waiting);
    if rows.is_empty() {
        let slept = report.session.asleep && report.windows.is_empty();
        let nothing = if slept { SLEPT } else { nothing_seen(&report.session, nobody_waits) };
        say(styles.head, nothing);
    } else if nobody_waits && rows.iter().all(|row| row.contentions.value <= 0.0) {
        say(styles.faint, "No lock was contended.");
    }
    let hidden = &rows[rows.len().min(options.top)..];
    if !hidden.is_empty() {
        let locks = hidden.iter().map(|row| row.locks).sum();
        let row_count = plural(hidden.len() as u64, "row");
        say(
            styles.faint,
            &format!(
                "{row_count} with {} not shown; `--top {}` shows all.",
                plural(locks, "lock"),
                rows.len()
            ),
        );
    }
    for sentence in modes::sentences(report) {
        say(anstyle::Style::new(), &sentence);
    }
    failures(report, styles, &mut say);
    idle(report, styles, &mut say);
    waits(report, styles, &mut say);
    windows(report, &mut say);
    for loss in report.losses.iter().filter(|loss| loss.count > 0) {
        let what = clean(&loss.what);
        say(styles.warning, &format!("Not recorded: {} {what}.", count(loss.count as f64)));
    }
    for note in &report.notes {
        let stop = if note.ends_with(['.', '!', '?']) { "" } else { "." };
        say(styles.warning, &format!("Note: {}{stop}", clean(note)));
    }
    if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) }
}

/// Why there is no row: a sample may have missed what a count would not.
fn nothing_seen(session: &SessionInfo, nobody_waits: bool) -> &'static str {
    match (session.periods.as_slice(), nobody_waits) {
        (_, false) => "No acquisition was recorded to its end while the session ran.",
        ([1], true) => "No lock was acquired while the session ran, as far as its probes see.",
        ([], true) => "No lock was contended while the session ran, as far as its probes see.",
        (_, true) => {
            "No lock was contended while the session ran, and no acquisition was among the samples, as far as its probes see."
        }
    }
}

/// Idleness is no contention, and has no column; it is not hidden either.
fn idle(report: &ReportFile, styles: Styles, say: &mut impl FnMut(anstyle::Style, &str)) {
    let (idles, idle_ns) = idling(report);
    if idles.value > 0.0 {
        let with_error = |text: String, total| match error(total) {
            Some(error) => format!("{text} {error}"),
            None => text,
        };
        let number = with_error(count(idles.value), idles);
        let times = if number == "1" { "time" } else { "times" };
        let time = with_error(duration(idle_ns.value), idle_ns);
        say(
            styles.faint,
            &format!(
                "Idle, which is not waiting for a lock: {number} {times} at condition variables and the like, {time} in all."
            ),
        );
    }
}

/// What was asked for in vain is no acquisition, and has no column.
fn failures(report: &ReportFile, styles: Styles, say: &mut impl FnMut(anstyle::Style, &str)) {
    let of = |lock: &Lock| lock.sites.iter().map(|site| site.failures.value).sum::<f64>();
    let all: f64 = report.locks.iter().map(of).sum();
    let most = report.locks.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
    let Some(most) = most.filter(|most| of(most) > 0.0) else { return };
    let (number, of_most) = (count(all), count(of(most)));
    let times = if number == "1" { "time" } else { "times" };
    let part = if of_most == number { "all of them" } else { of_most.as_str() };
    say(
        styles.faint,
        &format!(
            "A try or a timed acquisition ended without the lock {number} {times}, {part} at {}.",
            clean(&most.label())
        ),
    );
}

/// When a session that sleeps was awake.
fn windows(report: &ReportFile, say: &mut impl FnMut(anstyle::Style, &str)) {
    let [first, ..] = report.windows.as_slice() else { return };
    let hidden = report.windows.len().saturating_sub(WINDOWS);
    let number = plural(report.windows.len() as u64, "time");
    let awake: u64 = report.windows.iter().map(|window| window.length_ns).sum();
    say(
        anstyle::Style::new(),
        &format!(
            "Awake {number}, {} in all, first {} after the start; what is above is of these times alone.",
            duration(awake as f64),
            duration(first.after_ns as f64)
        ),
    );
    if hidden > 0 {
        say(anstyle::Style::new(), &format!("- {} before these", plural(hidden as u64, "window")));
    }
    for window in &report.windows[hidden..] {
        let (after, length) = (duration(window.after_ns as f64), duration(window.length_ns as f64));
        let samples = plural(window.samples, "sample");
        let cause = clean(&window.cause);
        say(
            anstyle::Style::new(),
            &format!("- after {after} for {length}, woken by {cause}: {samples}"),
        );
    }
}

fn waits(report: &ReportFile, styles: Styles, say: &mut impl FnMut(anstyle::Style, &str)) {
    let waits = Waits::of(report);
    if waits.len() == 0 {
        return;
    }
    let number = plural(waits.len() as u64, "wait");
    say(styles.alarm, &format!("In progress when the report was made: {number}."));
    for sentence in waits.sentences().take(WAITS) {
        say(anstyle::Style::new(), &format!("- {sentence}"));
    }
    if waits.len() > WAITS {
        let rest = plural((waits.len() - WAITS) as u64, "shorter wait");
        say(styles.faint, &format!("- and {rest}"));
    }
    for circle in waits.circles() {
        say(styles.alarm, &circle);
    }
}
