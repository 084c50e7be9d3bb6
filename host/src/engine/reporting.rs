//! From a backend's snapshot to a report.

use core::ffi::c_void;
use std::cell::RefCell;
use std::collections::HashSet;

use lockscope_core::event::Pending;
use lockscope_core::report::Loss;
use lockscope_core::{Probe, clock};

use super::gates;
use super::state::{Running, State};
use crate::error::HostError;
use crate::report::model::{PendingAcquisition, Place, ReportFile, SessionInfo};
use crate::report::{convert, stacks};
use crate::tell::tell;

/// The probe that sees nothing of a lock but its waits.
const FUTEX_PROBE: &str = "futex";
const WAITS_ONLY: &str = "Of locks that the futex probe sees, an acquisition is one that had to wait: others are not counted. Holds are those of std mutexes that were waited for; of other locks none are known, which is shown as none. Who is to blame for a wait is who ended it.";

impl State {
    /// What a session has recorded: so far, or in all, if it has `ended`. Then
    /// another may have followed it at that time, in ticks.
    pub(super) fn report_of(
        &mut self,
        running: &mut Running,
        ended: Option<u64>,
    ) -> Result<ReportFile, HostError> {
        tell_abandonment(running);
        let mut report = running.entry.backend.snapshot().into_result().map_err(|source| {
            HostError::Backend {
                backend: running.name.clone(),
                what: "show what it has recorded",
                source,
            }
        })?;
        let lost = lost(running);
        if lost > 0 {
            let what = "samples beyond 32 held locks per thread".into();
            report.losses.push(Loss { what, count: lost });
        }
        if running.unfinished > 0 {
            let what =
                "operations that ended after the session, or after one of its windows".into();
            report.losses.push(Loss { what, count: running.unfinished });
        }
        report.losses.extend(lost_stacks(running));
        let filter = running.entrance.filter();
        let filtered = filter.map(|filter| filter.notes()).unwrap_or_default();
        report.notes.extend(filtered.iter().map(|note| note.as_str().into()));
        report.notes.extend(running.notes.iter().map(|note| note.as_str().into()));
        if gates::probes().any(|probe| probe.name() == FUTEX_PROBE) {
            report.notes.push(WAITS_ONLY.into());
        }
        let info = session_info(running, ended.is_some(), report.samples, report.periods.to_vec());
        let pending = pending(running, ended.unwrap_or(u64::MAX));
        let names = RefCell::new(core::mem::take(&mut self.names));
        let most = running.entrance.frames();
        let resolve = |probe, site| names.borrow_mut().place(probe, site, most);
        let pending = pending.iter().map(|pending| shown(pending, running, &resolve)).collect();
        let mut file = convert(&report, info, pending, &resolve, &probe_name);
        self.names = names.into_inner();
        stacks::complete(&mut file, self.names.frames());
        Ok(file)
    }
}

/// Says once, on stderr and in the report, that the backend gave up.
fn tell_abandonment(running: &mut Running) {
    if running.abandonment_told || !gates::is_abandoned(running.session) {
        return;
    }
    running.abandonment_told = true;
    let note = format!(
        "The backend '{}' ended the session from within, and nothing was recorded after that: {}.",
        running.name,
        gates::reason().trim_end_matches('.')
    );
    tell(&note);
    running.notes.push(note);
}

fn session_info(running: &Running, complete: bool, samples: u64, periods: Vec<u32>) -> SessionInfo {
    let filter = running.entrance.filter();
    let frames = running.entrance.frames();
    SessionInfo {
        backend: running.name.clone(),
        backend_version: running.version.clone(),
        plugin: running.plugin.display().to_string(),
        probes: gates::probes().map(|probe| probe.name().to_owned()).collect(),
        settings: running.settings.clone(),
        filters: filter.map(|filter| filter.shown()).unwrap_or_default(),
        periods,
        generation: running.number,
        started_unix_ns: running.started_unix_ns,
        length_ns: running.length_ns(),
        complete,
        asleep: running.is_asleep(),
        pid: std::process::id(),
        command: command(),
        samples,
        sample_cost_ns: running.sample_cost_ns,
        stacks: (frames != 0).then_some(frames),
    }
}

/// The process's command line, as the kernel has it.
pub(crate) fn command() -> Vec<String> {
    let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Samples that the probes' threads had no place for, since the session began.
fn lost(running: &Running) -> u64 {
    let mut asked = HashSet::new();
    // Probes of one copy of the core share their threads.
    gates::probes()
        .filter(|probe| asked.insert(probe.lost as usize))
        .map(|probe| {
            let before = running.lost_before.get(&(probe.lost as usize)).copied().unwrap_or(0);
            (probe.lost)().saturating_sub(before)
        })
        .sum()
}

/// Operations of the session that were recorded without their stacks.
fn lost_stacks(running: &Running) -> impl Iterator<Item = Loss> {
    let (before, now) = (running.stacks_lost_before, lockscope_stacks::losses());
    let losses = [
        (
            "stacks of operations, which were recorded without, beyond those that are kept (max_stacks)",
            now.refused.saturating_sub(before.refused),
        ),
        (
            "stacks of operations, which were recorded without, because they could not be read",
            now.unreadable.saturating_sub(before.unreadable),
        ),
    ];
    let there = losses.into_iter().filter(|(_, count)| *count > 0);
    there.map(|(what, count)| Loss { what: what.into(), count })
}

/// What the session's threads wait for or hold now, with the probe that said so.
fn pending(running: &Running, until: u64) -> Vec<(u32, Pending)> {
    extern "C" fn visit(context: *mut c_void, pending: *const Pending) {
        // SAFETY: the context is the list below, the visit is on its thread.
        let list = unsafe { &mut *context.cast::<Vec<Pending>>() };
        // SAFETY: the probe shows it for the length of the call.
        list.push(unsafe { *pending });
    }
    let mut asked = HashSet::new();
    let mut all = Vec::new();
    for probe in gates::probes().filter(|probe| asked.insert(probe.pending as usize)) {
        let mut list: Vec<Pending> = Vec::new();
        (probe.pending)(visit, (&raw mut list).cast());
        // Whoever waits waits now, since whichever session; but the record of a
        // guard that was forgotten stays until its thread needs the place.
        list.retain(|pending| {
            pending.begin < until && (pending.acquired == 0 || pending.begin >= running.started)
        });
        all.extend(list.into_iter().map(|pending| (probe_of(&pending, probe), pending)));
    }
    all
}

/// The number of the probe whose lock it is: in the lock's id if it has one.
fn probe_of(pending: &Pending, asked: &Probe) -> u32 {
    let named = (pending.lock >> 48) as u32;
    match named.checked_sub(1) {
        Some(number) if number_of(number).is_some() => number,
        _ => asked.index(),
    }
}

fn shown(
    (probe, pending): &(u32, Pending),
    running: &Running,
    resolve: &dyn Fn(u32, usize) -> Option<Place>,
) -> PendingAcquisition {
    let waiting = pending.acquired == 0;
    let since = if waiting { pending.begin } else { pending.acquired };
    let now = clock::now(running.clock.tsc == 1);
    PendingAcquisition {
        lock: pending.lock,
        thread: pending.thread,
        waiting,
        place: resolve(*probe, pending.site.0),
        holder: resolve(*probe, pending.holder.0),
        holder_thread: (pending.holder_thread != 0).then_some(pending.holder_thread),
        for_ns: running.clock.ns(now.saturating_sub(since)),
    }
}

pub(super) fn number_of(number: u32) -> Option<&'static Probe> {
    gates::probes().nth(number as usize)
}

fn probe_name(number: u32) -> String {
    number_of(number).map_or_else(|| format!("probe {number}"), |probe| probe.name().to_owned())
}
