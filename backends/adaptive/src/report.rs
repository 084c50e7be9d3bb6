//! What the host is told beyond what backends share: what profiling has cost,
//! and what was done to keep to the budget.

use crate::budget::{Account, Budget, Spent, Tuning, rounded};
use crate::meter::PASSING_NS;

/// The period of acquisitions that have to wait, under this tuning.
pub(crate) fn contended_period(tuning: Tuning) -> u32 {
    1 << tuning.waits
}

/// Sentences for people.
pub(crate) fn notes(account: &Account) -> Vec<String> {
    let mut notes = vec![cost(account)];
    notes.extend(squeezed(account));
    notes.extend(drawn(account));
    notes
}

fn cost(account: &Account) -> String {
    let Spent { samples, waits, operations, .. } = account.session;
    let Account { prices, .. } = account;
    let mut parts = Vec::new();
    for (count, what, price) in [
        (samples, "samples", prices.sample_ns),
        (waits, "recorded waits", prices.wait_ns),
        (operations, "operations that passed the gate", PASSING_NS),
    ] {
        if count > 0.0 {
            parts.push(format!("{} {what} at {price:.1} ns", rounded(count)));
        }
    }
    let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!(
        "Profiling took about {:.2} % of the processor time that the process used, as measured by the backend{of}.",
        account.session.own_percent()
    )
}

fn squeezed(account: &Account) -> Option<String> {
    let [now, highest] = [account.tuning, account.highest].map(|tuning| 1_u64 << tuning.squeeze);
    let budget = said(account.budget);
    (highest > 1).then(|| {
        format!(
            "To keep to {budget}, all sampling periods were multiplied by up to {highest}, and by {now} at the end."
        )
    })
}

fn drawn(account: &Account) -> Option<String> {
    let [now, highest] = [account.tuning, account.highest].map(contended_period);
    let budget = said(account.budget);
    (highest > 1).then(|| {
        format!(
            "To keep to {budget}, only one in up to {highest} of the acquisitions that had to wait was recorded, and one in {now} at the end: contentions and waits are estimates."
        )
    })
}

fn said(budget: Budget) -> String {
    let mut limits = Vec::new();
    if budget.cpu_percent > 0.0 {
        limits.push(format!("{} % of the processor time (budget_percent)", budget.cpu_percent));
    }
    if budget.samples_per_sec > 0.0 {
        limits.push(format!("{} samples in a second (samples_per_sec)", budget.samples_per_sec));
    }
    if limits.is_empty() { "the budget that held before".to_owned() } else { limits.join(" and ") }
}
