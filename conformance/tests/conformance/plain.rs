//! A backend that does everything the plain way, or makes one mistake on
//! purpose: what a check is worth shows when it meets one that is wrong.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_conformance::Random;
use lockscope_core::backend::{Backend, BackendError, Description, ErrorKind, Setting};
use lockscope_core::report::{Blame, Estimate, LockReport, Report, SiteReport, Times};
use lockscope_core::{Countdown, Event, EventKind, LockRef, Session};

/// What is wrong with it: what its key `mistake` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Nothing.
    #[default]
    None,
    /// Every Nth operation is sampled.
    Stride,
    /// One in N on average, but not each by itself: countdowns are uniform.
    Uniform,
    /// A sample weighs what the period is when it is taken, and not what it was
    /// when the countdown was drawn.
    WeighsWhenTaken,
    /// All samples weigh what the period is at the end.
    WeighsAtEnd,
    /// The variance of a total is Σ w·x².
    VarianceIsWeight,
    /// It is Σ w²·x².
    VarianceIsSquare,
    /// Contended acquisitions, which are all seen, weigh as if they were not.
    ContendedWeigh,
    /// Contended acquisitions weigh 1, although they were drawn.
    ContendedDoNotWeigh,
    /// A lock that it meets again is a new lock.
    ForgetsWhatItHasMet,
}

impl Mistake {
    pub(crate) const ALL: [Self; 10] = [
        Self::None,
        Self::Stride,
        Self::Uniform,
        Self::WeighsWhenTaken,
        Self::WeighsAtEnd,
        Self::VarianceIsWeight,
        Self::VarianceIsSquare,
        Self::ContendedWeigh,
        Self::ContendedDoNotWeigh,
        Self::ForgetsWhatItHasMet,
    ];

    /// As its setting says it.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Plain(Mutex<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    mistake: Mistake,
    period: u32,
    random: Option<Random>,
    periods: Vec<u32>,
    samples: u64,
    /// By origin, call site and mode.
    lines: HashMap<(usize, usize, u8), SiteReport>,
    /// By origin, holder and waiter.
    blame: HashMap<(usize, usize, usize), Blame>,
}

impl Plain {
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn draw(&mut self) -> Countdown {
        let (period, mistake) = (self.period, self.mistake);
        let Some(random) = &mut self.random else { return Countdown::NEVER };
        let operations = match mistake {
            _ if period == 1 => 1,
            Mistake::Stride => period,
            Mistake::Uniform => 1 + random.below(2 * u64::from(period) - 1) as u32,
            // ⌊ln U / ln(1 − 1/N)⌋ + 1 is geometric.
            _ => 1 + (random.uniform().ln() / (-1.0 / f64::from(period)).ln_1p()) as u32,
        };
        Countdown { operations, weight: period }
    }

    fn weight(&self, event: &Event) -> u32 {
        match self.mistake {
            Mistake::ContendedWeigh if event.contended != 0 => self.period,
            Mistake::ContendedDoNotWeigh if event.contended != 0 => 1,
            Mistake::WeighsWhenTaken if event.weight > 1 => self.period,
            _ => event.weight,
        }
    }

    fn estimate(&self, x: f64, weight: u32) -> Estimate {
        let w = f64::from(weight);
        let factor = match self.mistake {
            _ if weight == 1 => 0.0,
            Mistake::VarianceIsWeight => w,
            Mistake::VarianceIsSquare => w * w,
            _ => w * (w - 1.0),
        };
        Estimate { value: w * x, variance: factor * x * x }
    }

    fn note(&mut self, event: &Event) {
        let weight = self.weight(event);
        let one = self.estimate(1.0, weight);
        let time = |ticks: u64| Times {
            total_ns: self.estimate(ticks as f64, weight),
            max_ns: ticks,
            ..Times::default()
        };
        let (wait, hold) = (time(event.wait_ticks()), time(event.hold_ticks()));
        let key = (event.lock.created.0, event.site.0, event.mode.0);
        let line = self.lines.entry(key).or_default();
        match event.kind {
            EventKind::RELEASED => {
                line.samples += 1;
                self.samples += 1;
                line.acquisitions += one;
                add(&mut line.hold, &hold);
                if event.contended != 0 {
                    line.contentions += one;
                    add(&mut line.wait, &wait);
                    self.blame(event, one, wait.total_ns);
                }
            }
            EventKind::FAILED => line.failures += one,
            EventKind::IDLE => {
                line.idles += one;
                add(&mut line.idle, &wait);
            }
            _ => {}
        }
    }

    fn blame(&mut self, event: &Event, contentions: Estimate, wait_ns: Estimate) {
        let (holder, waiter) = (event.holder.0, event.site.0);
        let nothing = Estimate::default();
        let blame = self.blame.entry((event.lock.created.0, holder, waiter)).or_insert(Blame {
            holder,
            waiter,
            contentions: nothing,
            wait_ns: nothing,
        });
        blame.contentions += contentions;
        blame.wait_ns += wait_ns;
    }

    /// What is said of a line of which `line` was noted.
    fn said(&self, line: &SiteReport) -> SiteReport {
        let mut line = line.clone();
        if self.mistake == Mistake::WeighsAtEnd {
            let drawn = line.samples as f64 - line.contentions.value;
            let (w, mean_ns) =
                (f64::from(self.period), line.hold.total_ns.value / line.acquisitions.value);
            line.acquisitions = Estimate {
                value: line.contentions.value + w * drawn,
                variance: w * (w - 1.0) * drawn,
            };
            line.hold.total_ns = Estimate {
                value: mean_ns * line.acquisitions.value,
                variance: mean_ns * mean_ns * line.acquisitions.variance,
            };
        }
        line
    }
}

fn add(times: &mut Times, more: &Times) {
    times.total_ns += more.total_ns;
    times.max_ns = times.max_ns.max(more.max_ns);
}

fn parsed<T>(value: &str, meaning: impl Fn(&str) -> Option<T>) -> Result<T, BackendError> {
    meaning(value).ok_or_else(|| BackendError::new(ErrorKind::Setting, value))
}

fn period(value: &str) -> Result<u32, BackendError> {
    parsed(value, |value| value.parse().ok().filter(|period| *period > 0))
}

impl Backend for Plain {
    fn describe() -> Description {
        Description::new("plain", "0.1.0", "writes everything down")
            .key("period", "100", "One operation in so many is sampled.")
            .key("mistake", "None", "What it does wrong.")
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let mut recorded = self.recorded();
        for setting in settings {
            match &*setting.key {
                "period" => recorded.period = period(&setting.value)?,
                _ => {
                    recorded.mistake = parsed(&setting.value, |value| {
                        Mistake::ALL.into_iter().find(|mistake| mistake.name() == value)
                    })?;
                }
            }
        }
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        let mut recorded = self.recorded();
        let (mistake, period) = (recorded.mistake, recorded.period);
        let random = Some(Random::new(session.seed));
        *recorded =
            Recorded { mistake, period, random, periods: vec![period], ..Recorded::default() };
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        Ok(())
    }

    fn configure(&self, _: &str, value: &str) -> Result<(), BackendError> {
        let mut recorded = self.recorded();
        recorded.period = period(value)?;
        let period = recorded.period;
        recorded.periods.push(period);
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let recorded = self.recorded();
        let mut locks = HashMap::<usize, LockReport>::new();
        for ((created, site, mode), line) in &recorded.lines {
            let lock = locks.entry(*created).or_default();
            lock.created = *created;
            lock.sites.push(SiteReport { site: *site, mode: *mode, ..recorded.said(line) });
        }
        for ((created, ..), blame) in &recorded.blame {
            locks.entry(*created).or_default().blame.push(*blame);
        }
        Ok(Report {
            locks: locks.into_values().collect(),
            samples: recorded.samples,
            periods: recorded.periods.clone().into(),
            ..Report::default()
        })
    }

    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        let mut recorded = self.recorded();
        if let Some(lock) = lock
            && recorded.mistake == Mistake::ForgetsWhatItHasMet
        {
            recorded.lines.retain(|(created, ..), _| *created != lock.created.0);
        }
        recorded.draw()
    }

    fn event(&self, event: &Event) -> Countdown {
        let mut recorded = self.recorded();
        recorded.note(event);
        if event.counted != 0 { recorded.draw() } else { Countdown::UNCHANGED }
    }
}
