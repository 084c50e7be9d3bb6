//! Any report that there could be.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::super::model::{
    Blame, FORMAT, Filters, Frame, Lock, Loss, PendingAcquisition, Place, ReportFile, SessionInfo,
    Site, Times, Total, VERSION, Window,
};

pub(super) fn report() -> impl Strategy<Value = ReportFile> {
    let losses = vec((text(), any::<u64>()).prop_map(|(what, count)| Loss { what, count }), 0..3);
    let rest =
        (vec(pending(), 0..3), vec(window(), 0..3), losses, vec(text(), 0..3), vec(frame(), 0..3));
    (session(), vec(lock(), 0..3), rest).prop_map(
        |(session, locks, (pending, windows, losses, notes, frames))| ReportFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            session,
            locks,
            pending,
            windows,
            losses,
            notes,
            frames,
        },
    )
}

/// What JSON has to escape, too.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("(?s:.){0,8}").expect("a pattern")
}

/// JSON has no infinity and no NaN.
fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn total() -> impl Strategy<Value = Total> {
    (number(), number()).prop_map(|(value, standard_error)| Total { value, standard_error })
}

fn times() -> impl Strategy<Value = Times> {
    (total(), any::<u64>(), vec((any::<u64>(), any::<u64>(), number()), 0..3))
        .prop_map(|(total, max, histogram)| Times { total, max, histogram })
}

fn place() -> impl Strategy<Value = Place> {
    (text(), any::<u32>(), any::<u32>(), any::<u64>(), vec(any::<u32>(), 0..3)).prop_map(
        |(file, line, column, address, stack)| Place { file, line, column, address, stack },
    )
}

fn frame() -> impl Strategy<Value = Frame> {
    (text(), text(), any::<u32>(), text(), any::<(u64, bool)>()).prop_map(
        |(function, file, line, object, (address, inlined))| Frame {
            function,
            file,
            line,
            object,
            address,
            inlined,
        },
    )
}

fn session() -> impl Strategy<Value = SessionInfo> {
    let texts = (text(), text(), text(), vec(text(), 0..3), vec(text(), 0..3));
    let settings = (vec((text(), text()), 0..3), filters());
    let numbers = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u32>(), any::<u64>());
    let numbers_there = (option::of(number()), option::of(any::<u32>()));
    let rest = (any::<(bool, bool)>(), vec(any::<u32>(), 0..3), numbers_there);
    (texts, settings, numbers, rest).prop_map(|(texts, settings, numbers, rest)| {
        let (backend, backend_version, plugin, probes, command) = texts;
        let (generation, started_unix_ns, length_ns, pid, samples) = numbers;
        let (settings, filters) = settings;
        let ((complete, asleep), periods, (sample_cost_ns, stacks)) = rest;
        SessionInfo {
            backend,
            backend_version,
            plugin,
            probes,
            settings,
            filters,
            periods,
            generation,
            started_unix_ns,
            length_ns,
            complete,
            asleep,
            pid,
            command,
            samples,
            sample_cost_ns,
            stacks,
        }
    })
}

fn filters() -> impl Strategy<Value = Filters> {
    (vec(text(), 0..2), vec(text(), 0..2))
        .prop_map(|(include, exclude)| Filters { include, exclude })
}

fn lock() -> impl Strategy<Value = Lock> {
    let names = (text(), option::of(text()), option::of(place()), text());
    (any::<u64>(), any::<u64>(), names, vec(site(), 0..3), vec(blame(), 0..3)).prop_map(
        |(id, locks, (kind, name, created, probe), sites, blame)| Lock {
            id,
            locks,
            kind,
            name,
            created,
            probe,
            sites,
            blame,
        },
    )
}

fn site() -> impl Strategy<Value = Site> {
    let totals = (total(), total(), total(), total());
    (option::of(place()), text(), any::<u64>(), totals, (times(), times(), times())).prop_map(
        |(place, mode, samples, totals, (wait_ns, hold_ns, idle_ns))| {
            let (acquisitions, contentions, failures, idles) = totals;
            Site {
                place,
                mode,
                samples,
                acquisitions,
                contentions,
                failures,
                idles,
                wait_ns,
                hold_ns,
                idle_ns,
            }
        },
    )
}

fn blame() -> impl Strategy<Value = Blame> {
    (option::of(place()), option::of(place()), total(), total()).prop_map(
        |(holder, waiter, contentions, wait_ns)| Blame { holder, waiter, contentions, wait_ns },
    )
}

fn window() -> impl Strategy<Value = Window> {
    (text(), any::<u64>(), any::<u64>(), any::<u64>()).prop_map(
        |(cause, after_ns, length_ns, samples)| Window { cause, after_ns, length_ns, samples },
    )
}

fn pending() -> impl Strategy<Value = PendingAcquisition> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>());
    let holder = (option::of(place()), option::of(any::<u64>()));
    (numbers, option::of(place()), holder).prop_map(
        |((lock, thread, for_ns, waiting), place, (holder, holder_thread))| PendingAcquisition {
            lock,
            thread,
            waiting,
            place,
            holder,
            holder_thread,
            for_ns,
        },
    )
}
