//! Whatever happens, whenever: it goes on as a naive machine would, which goes
//! through time by the millisecond and keeps everything that ever happened.

use lockscope_core::report::Window;
use proptest::prelude::*;

use super::{CLOSED, Host, MS, OPEN, WATCH, window};

#[derive(Clone, Debug)]
enum Step {
    /// So many milliseconds pass, with so many contentions in each.
    Passes(u64, u64),
    Wake,
}

#[derive(Clone, Copy, Debug)]
struct Terms {
    window_ms: u64,
    cool_down_ms: u64,
    /// A multiple of 10, so that looks come after whole milliseconds.
    watch_ms: u64,
    /// Contentions a second; 0 for never.
    threshold: u64,
}

/// From when to when it was awake, and what woke it, first and then.
#[derive(Clone, Debug)]
struct Awake {
    since: u64,
    until: u64,
    causes: Vec<String>,
}

impl Awake {
    fn told(&self, now: u64) -> Window {
        let (first, last) = (&self.causes[0], &self.causes[self.causes.len() - 1]);
        let cause = match self.causes.len() - 1 {
            0 => first.clone(),
            1 => format!("{first}, prolonged by {last}"),
            times => format!("{first}, prolonged {times} times, last by {last}"),
        };
        window(&cause, self.since * MS, (self.until.min(now) - self.since) * MS)
    }
}

struct Naive {
    terms: Terms,
    now: u64,
    /// Contentions in each millisecond.
    contentions: Vec<u64>,
    windows: Vec<Awake>,
}

impl Naive {
    fn is_awake(&self) -> bool {
        self.windows.last().is_some_and(|last| self.now < last.until)
    }

    /// Since when it watches, if it does.
    fn watches_since(&self) -> Option<u64> {
        let cool = self.windows.last().map_or(0, |last| last.until + self.terms.cool_down_ms);
        (self.terms.threshold > 0 && !self.is_awake() && cool <= self.now).then_some(cool)
    }

    fn gate(&self) -> u32 {
        match (self.is_awake(), self.watches_since()) {
            (true, _) => OPEN,
            (_, Some(_)) => WATCH,
            _ => CLOSED,
        }
    }

    fn wake(&mut self, cause: String) {
        let (now, until) = (self.now, self.now + self.terms.window_ms);
        match self.windows.last_mut() {
            Some(last) if now < last.until => {
                last.until = until;
                last.causes.push(cause);
            }
            _ => self.windows.push(Awake { since: now, until, causes: vec![cause] }),
        }
    }

    /// A look, if it is time for one.
    fn look(&mut self) {
        let Some(since) = self.watches_since() else { return };
        let Terms { watch_ms, threshold, .. } = self.terms;
        if !(self.now - since).is_multiple_of(watch_ms / 10) {
            return;
        }
        let from = since.max(self.now.saturating_sub(watch_ms));
        let number: u64 = self.contentions[from as usize..self.now as usize].iter().sum();
        if number * 1_000 >= threshold * watch_ms {
            let rate = number as f64 * 1e3 / watch_ms as f64;
            self.wake(format!("{rate:.0} contentions a second"));
        }
    }

    fn pass(&mut self, ms: u64, contentions: u64) {
        for _ in 0..ms {
            self.contentions.push(contentions);
            self.now += 1;
            self.look();
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..400_u64, 0..4_u64).prop_map(|(ms, contentions)| Step::Passes(ms, contentions)),
        1 => Just(Step::Wake),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let threshold =
        prop_oneof![1 => Just(0), 2 => 1..4_000_u64, 2 => (1..4_u64).prop_map(|n| n * 1_000)];
    (1..500_u64, 0..800_u64, 1..30_u64, threshold).prop_map(
        |(window_ms, cool_down_ms, tens, threshold)| Terms {
            window_ms,
            cool_down_ms,
            watch_ms: tens * 10,
            threshold,
        },
    )
}

proptest! {
    #[test]
    fn it_sleeps_and_wakes_as_the_naive_machine(
        terms in terms(),
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let texts = [terms.window_ms, terms.cool_down_ms, terms.watch_ms, terms.threshold]
            .map(|number| number.to_string());
        let keys = ["window_ms", "cool_down_ms", "watch_window_ms", "wake_on_contentions"];
        let settings: Vec<_> = keys.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let mut host = Host::new(&settings);
        let mut naive = Naive { terms, now: 0, contentions: Vec::new(), windows: Vec::new() };
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Passes(ms, contentions) => {
                    host.pass_with(ms * MS, contentions * 1_000, 0);
                    naive.pass(*ms, *contentions);
                }
                Step::Wake => {
                    let cause = format!("command {number}");
                    host.wake(&cause);
                    naive.wake(cause);
                    prop_assert_eq!(host.pace.gate, OPEN, "a wake leads to a window");
                }
            }
            prop_assert_eq!(host.pace.gate, naive.gate());
            let told: Vec<_> = naive.windows.iter().map(|awake| awake.told(naive.now)).collect();
            prop_assert_eq!(host.windows(), told);
        }
    }
}
