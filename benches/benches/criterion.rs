//! The uncontended paths, as a report of the kind that Rust programmers know: what
//! `cargo bench -p lockscope-benches --bench criterion` says, and what it says has changed
//! since it ran last.
//!
//! Ratios to the bare lock are the measure that holds on a busy machine: see the bench
//! `ratios`. This one is for whoever works on a path and looks at nanoseconds, and
//! `cargo xtask bench --profile` for whoever looks where they go.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use criterion::profiler::Profiler;
use criterion::{BenchmarkId, Criterion};
use lockscope_benches::locks::*;
use lockscope_benches::watching::Backend;
use lockscope_benches::workload::{Usage, Used, time};
use pprof::protos::Message;
use pprof::{ProfilerGuard, ProfilerGuardBuilder, Report};

/// What is locked and unlocked: the bare lock, and ours.
struct Subject {
    name: &'static str,
    bare: Box<dyn Counter>,
    ours: Box<dyn Counter>,
}

fn subjects() -> [Subject; 4] {
    let subject = |name, bare, ours| Subject { name, bare, ours };
    let [std, parking_lot]: [Box<dyn Counter>; 2] = [
        Box::new(Aligned(BareStd::new(Default::default()))),
        Box::new(Aligned(BareParkingLot::new(Default::default()))),
    ];
    let [std_read, slotless]: [Box<dyn Counter>; 2] = [
        Box::new(Aligned(BareStdRead::new(Default::default()))),
        Box::new(Aligned(BareSlotless::new(0))),
    ];
    [
        subject("std Mutex", std, Box::new(Aligned(OurStd::new(0)))),
        subject("parking_lot Mutex", parking_lot, Box::new(Aligned(OurParkingLot::new(0)))),
        subject("parking_lot Mutex, no slot", slotless, Box::new(Aligned(OurSlotless::new(0)))),
        subject("std RwLock, read", std_read, Box::new(Aligned(OurStdRead::new(0)))),
    ]
}

/// One line of the report; which fails if the lock has lost an operation.
fn line(criterion: &mut Criterion, subject: &Subject, state: &str, lock: &dyn Counter) {
    let mut group = criterion.benchmark_group(subject.name);
    group.bench_function(BenchmarkId::from_parameter(state), |bencher| {
        bencher.iter_custom(|n| time(&Used(lock, Usage::ALONE), n));
    });
    group.finish();
}

fn report(criterion: &mut Criterion) {
    let subjects = subjects();
    for subject in &subjects {
        line(criterion, subject, "bare", &*subject.bare);
        line(criterion, subject, "never started", &*subject.ours);
    }
    let backends = Backend::all().unwrap_or_else(|error| panic!("{error}"));
    for watching in backends.iter().flat_map(Backend::periods) {
        let session = watching.start();
        for subject in &subjects {
            line(criterion, subject, &watching.title, &*subject.ours);
        }
        session.stop().expect("the session stops");
    }
    for subject in &subjects {
        line(criterion, subject, "closed after use", &*subject.ours);
    }
}

/// A thousand times a second of processor time, but in step with nothing.
const SAMPLES_PER_SEC: i32 = 997;
/// How many functions are printed, and how many names of each.
const TOP: usize = 12;
const INLINED: usize = 4;

/// Says where the time of a line goes: `--profile-time`.
#[derive(Default)]
struct Sampled(Option<ProfilerGuard<'static>>);

impl Profiler for Sampled {
    fn start_profiling(&mut self, _: &str, _: &Path) {
        let guard = ProfilerGuardBuilder::default().frequency(SAMPLES_PER_SEC).build();
        self.0 = Some(guard.expect("nobody else profiles this process"));
    }

    fn stop_profiling(&mut self, name: &str, folder: &Path) {
        let Some(guard) = self.0.take() else { return };
        let report = guard.report().build().expect("what was sampled can be read");
        std::fs::create_dir_all(folder).expect("criterion's folder can be written to");
        let file = folder.join("profile.pb");
        let profile = report.pprof().expect("the report has a form as pprof has it");
        std::fs::write(&file, profile.encode_to_vec()).expect("criterion's folder has room");
        println!("\n{name}: {}", file.display());
        top(&report).iter().for_each(|(function, percent)| println!("{percent:5.1} %  {function}"));
    }
}

/// Where the processor was found most, in percent of all samples: the function, and those
/// into which it was inlined, the nearest first.
fn top(report: &Report) -> Vec<(String, f64)> {
    let mut own = HashMap::<String, isize>::new();
    for (frames, count) in &report.data {
        let symbols = frames.frames.first().into_iter().flatten();
        let names: Vec<String> = symbols.take(INLINED).map(|symbol| symbol.name()).collect();
        *own.entry(names.join(" ← ")).or_default() += count;
    }
    let all: isize = own.values().sum();
    let mut top: Vec<(String, f64)> = own
        .into_iter()
        .map(|(function, count)| (function, 100.0 * count as f64 / all.max(1) as f64))
        .collect();
    top.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    top.truncate(TOP);
    top
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
        .without_plots()
        .with_profiler(Sampled::default())
        .configure_from_args();
    report(&mut criterion);
    criterion.final_summary();
}
