//! Profiles for `go tool pprof` and whatever else reads its format.
//!
//! Three profiles, because a viewer adds up what is in one:
//!
//! | profile | stacks of | values |
//! |---|---|---|
//! | [`Profile::Mutex`] | who held the lock | `contentions`/`count`, `delay`/`nanoseconds` |
//! | [`Profile::Block`] | who waited | the same |
//! | [`Profile::Hold`] | who held the lock | `acquisitions`/`count`, `hold`/`nanoseconds` |
//!
//! Values are estimates for the whole session, weighted already, so the
//! profile's own period is 1. Labels say which lock: `lock` (its name, or where
//! it was made), `lock_kind`, `creation_site` if known, and the number `lock_id`
//! if it is one lock; `waiter` in the mutex profile says who waited.
//!
//! Where stacks were kept, a sample has that of its operation. Who held a lock is
//! known by the place alone, and so are all places where none were kept: then a stack
//! is one frame, and what a viewer shows as the function's name is `file:line`.

mod proto;
mod table;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use super::charges::charges;
use super::model::{Lock, Place, ReportFile};
use super::{ReportError, file, table::periods, text::clean, units::thousands};
use table::Tables;

const SUFFIX: &str = ".pb.gz";

/// One of the profiles that a report holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Waits, by who held the lock.
    Mutex,
    /// Waits, by who waited.
    Block,
    /// Holds, by who held the lock.
    Hold,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mutex, Self::Block, Self::Hold];

    /// The profile's name, as files are named after it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::Block => "block",
            Self::Hold => "hold",
        }
    }

    /// Name and unit of both values.
    pub(super) fn sample_types(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Mutex | Self::Block => [("contentions", "count"), ("delay", "nanoseconds")],
            Self::Hold => [("acquisitions", "count"), ("hold", "nanoseconds")],
        }
    }

    /// What the outermost frame is called if the call site is not known.
    fn unknown(self) -> &'static str {
        match self {
            Self::Mutex => "(holder not known)",
            Self::Block | Self::Hold => "(call site not known)",
        }
    }
}

/// Writes `OUT.mutex.pb.gz`, `OUT.block.pb.gz` and `OUT.hold.pb.gz`, where OUT
/// is `out`, less `.pb.gz` if it ends in that; or `mutex.pb.gz`, `block.pb.gz`
/// and `hold.pb.gz` in the folder `out`, if it is one. The files that were
/// written.
///
/// # Errors
///
/// [`ReportError::Unwritable`]; files before the one that failed are written.
pub fn write(out: &Path, report: &ReportFile) -> Result<Vec<PathBuf>, ReportError> {
    let mut written = Vec::new();
    for profile in Profile::ALL {
        let path = path(out, profile);
        let bytes = encode(report, profile);
        file::write_whole(&path, |out| {
            let mut gzip = GzEncoder::new(out, Compression::default());
            gzip.write_all(&bytes)?;
            gzip.finish().map(drop)
        })?;
        written.push(path);
    }
    Ok(written)
}

/// The file of one profile.
fn path(out: &Path, profile: Profile) -> PathBuf {
    let name = format!("{}{SUFFIX}", profile.as_str());
    if out.is_dir() {
        return out.join(name);
    }
    let mut path = stem(out);
    path.push(".");
    path.push(name);
    path.into()
}

/// `out` without the ending that all three names get.
fn stem(out: &Path) -> OsString {
    match out.as_os_str().as_bytes().strip_suffix(SUFFIX.as_bytes()) {
        Some(stem) if !stem.is_empty() => OsStr::from_bytes(stem).to_owned(),
        _ => out.as_os_str().to_owned(),
    }
}

/// One profile of `report`: the message `Profile` of `profile.proto`, not
/// compressed.
#[must_use]
pub fn encode(report: &ReportFile, profile: Profile) -> Vec<u8> {
    let session = &report.session;
    let program = session.command.first().map_or("program", String::as_str);
    let mut tables = Tables::new(program);
    let sample_type = profile.sample_types().map(|(name, unit)| tables.value_type(name, unit));
    let mut sample = Vec::new();
    for lock in &report.locks {
        add(&mut tables, &mut sample, report, lock, profile);
    }
    let comment = comments(report).iter().map(|comment| tables.string(comment)).collect();
    let [period_type, _] = sample_type;
    tables
        .into_profile(proto::Profile {
            sample_type: sample_type.to_vec(),
            sample,
            time_nanos: session.started_unix_ns as i64,
            duration_nanos: session.length_ns as i64,
            period_type: Some(period_type),
            period: 1,
            comment,
            ..proto::Profile::default()
        })
        .encode_to_vec()
}

/// The samples of one lock.
fn add(
    tables: &mut Tables,
    samples: &mut Vec<proto::Sample>,
    report: &ReportFile,
    lock: &Lock,
    profile: Profile,
) {
    let common = labels(tables, lock);
    let mut push = |tables: &mut Tables, place: Option<&Place>, values: [f64; 2], label| {
        let value = values.map(|value| value.round() as i64);
        if value != [0, 0] {
            let stack = place.into_iter().flat_map(|place| report.stack(place));
            samples.push(proto::Sample {
                location_id: tables.locations(place, stack, profile.unknown()),
                value: value.to_vec(),
                label: common.iter().copied().chain(label).collect(),
            });
        }
    };
    match profile {
        Profile::Mutex => {
            for charge in charges(lock) {
                let waiter = charge.waiter.map(|place| tables.label("waiter", &place.label()));
                push(tables, charge.holder, [charge.contentions, charge.wait_ns], waiter);
            }
        }
        Profile::Block => {
            for site in &lock.sites {
                let values = [site.contentions.value, site.wait_ns.total.value];
                push(tables, site.place.as_ref(), values, None);
            }
        }
        Profile::Hold => {
            for site in &lock.sites {
                let values = [site.acquisitions.value, site.hold_ns.total.value];
                push(tables, site.place.as_ref(), values, None);
            }
        }
    }
}

fn labels(tables: &mut Tables, lock: &Lock) -> Vec<proto::Label> {
    let mut labels =
        vec![tables.label("lock", &lock.label()), tables.label("lock_kind", &lock.kind)];
    if let Some(created) = &lock.created {
        labels.push(tables.label("creation_site", &created.label()));
    }
    if lock.id != 0 {
        labels.push(tables.number("lock_id", lock.id as i64));
    }
    labels
}

/// What the numbers rest on, and what they lack.
fn comments(report: &ReportFile) -> Vec<String> {
    let session = &report.session;
    let mut comments = vec![
        format!("lockscope: backend {} {}", session.backend, session.backend_version),
        format!("period: {}", periods(session)),
        format!("samples: {}", thousands(session.samples)),
    ];
    let losses = report.losses.iter().filter(|loss| loss.count > 0);
    comments.extend(
        losses.map(|loss| format!("not recorded: {} {}", thousands(loss.count), loss.what)),
    );
    comments.extend(report.notes.iter().map(|note| format!("note: {note}")));
    comments.iter().map(|comment| clean(comment)).collect()
}
