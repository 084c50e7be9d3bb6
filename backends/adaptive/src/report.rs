//! What the host is told beyond what backends share: what profiling has cost,
//! and what was done to keep to the budget.

use lockscope_backends::contention;

use crate::budget::{Account, Budget, Spent, Tuning, rounded};

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
    let Spent { samples, waits, operations, rest, .. } = account.session;
    let Spent { sampling_ns, waiting_ns, passing_ns, rest_ns, .. } = account.session;
    let parts: Vec<String> = [
        (samples, "samples", sampling_ns),
        (waits, "recorded waits", waiting_ns),
        (operations, "operations that passed the gate", passing_ns),
        (rest, "other calls", rest_ns),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0.0)
    .map(|(count, what, ns)| format!("{} {what} at {:.1} ns", rounded(count), ns / count))
    .collect();
    let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!(
        "Profiling took about {:.2} % of the processor time that the process used, as measured by the backend{of}.",
        account.session.own_percent()
    )
}

fn squeezed(account: &Account) -> Option<String> {
    let [now, highest] = [account.tuning, account.highest].map(|tuning| 1_u64 << tuning.squeeze);
    let at_the_end = if now > 1 { format!("by {now}") } else { "not at all".to_owned() };
    let budget = said(account.budget);
    (highest > 1).then(|| {
        format!(
            "To keep to {budget}, all sampling periods were multiplied by up to {highest}, and {at_the_end} at the end."
        )
    })
}

fn drawn(account: &Account) -> Option<String> {
    let [now, highest] = [account.tuning, account.highest].map(contended_period);
    contention::drawn(&said(account.budget), highest, now)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(tuning: Tuning, highest: Tuning) -> Account {
        let session = Spent {
            cpu_ns: 1e9,
            samples: 12_345.0,
            operations: 1_234_567.0,
            sampling_ns: 1_234_500.0,
            passing_ns: 617_283.5,
            ..Spent::default()
        };
        let budget = Budget { cpu_percent: 0.5, samples_per_sec: 10_000.0, ..Budget::default() };
        Account { budget, session, tuning, highest }
    }

    const NONE: Tuning = Tuning { squeeze: 0, waits: 0 };

    #[test]
    fn what_it_has_cost_is_said_in_one_sentence() {
        let said = notes(&account(NONE, NONE));
        assert_eq!(
            said,
            [
                "Profiling took about 0.19 % of the processor time that the process used, as measured by the backend: 12,000 samples at 100.0 ns, 1.2 million operations that passed the gate at 0.5 ns."
            ]
        );
        let nothing = Account { session: Spent::default(), ..account(NONE, NONE) };
        assert!(notes(&nothing)[0].ends_with("as measured by the backend."), "{nothing:?}");
    }

    #[test]
    fn what_was_done_to_keep_to_the_budget_is_said() {
        let tuning = Tuning { squeeze: 3, waits: 0 };
        let said = notes(&account(tuning, Tuning { squeeze: 6, waits: 2 }));
        let budget = "To keep to 0.5 % of the processor time (budget_percent) and 10000 samples in a second (samples_per_sec), ";
        assert_eq!(
            said[1..],
            [
                format!(
                    "{budget}all sampling periods were multiplied by up to 64, and by 8 at the end."
                ),
                format!(
                    "{budget}only one in up to 4 of the acquisitions that had to wait was recorded, and each at the end: contentions and waits are estimates."
                ),
            ]
        );
    }
}
