//! With what a program is started.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::build;
use crate::command::Call;
use crate::error::Error;
use crate::metadata;
use crate::system;

/// How a program is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As if there were no lockscope.
    Plain,
    /// Preloaded, and nobody asks.
    Closed,
    /// One operation in 100 is recorded.
    Sampled,
    /// The same, with an independent count.
    CountedSampled,
    /// Every operation is recorded, with an independent count.
    CountedEvery,
}

impl Way {
    /// Those whose costs are compared, the first with the others.
    pub(super) const COMPARED: [Self; 3] = [Self::Plain, Self::Closed, Self::Sampled];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Closed => "gate closed",
            Self::Sampled => "one in 100",
            Self::CountedSampled => "one in 100, told",
            Self::CountedEvery => "every one, told",
        }
    }
}

/// What was built, to start programs with.
#[derive(Debug)]
pub(super) struct Ways {
    built: PathBuf,
    count: PathBuf,
}

const COUNT_FILE: &str = "count";

/// What keeps all of it from being done, if anything does.
pub(super) fn missing() -> Option<String> {
    ["cc", "bash"]
        .into_iter()
        .find(|tool| !system::has(tool))
        .map(|tool| format!("{tool} is not installed; to have it: apt-get install gcc bash"))
}

impl Ways {
    /// Builds lockscope, optimised, and the independent count.
    pub(super) fn new() -> Result<Self, Error> {
        let packages = ["lockscope-host", "lockscope-pthread", "lockscope-backend-sidetable"];
        let command = build::release(&packages)?.executable("lockscope")?.to_owned();
        let built = command.parent().map(Path::to_owned).unwrap_or_default();
        let folder = metadata::of_workspace()?.target.join("real-programs");
        fs::create_dir_all(&folder)
            .map_err(|source| Error::File { path: folder.clone(), source })?;
        let count = folder.join("libcount.so");
        let source = metadata::root().join("xtask/src/real/count.c");
        Call::new("cc")
            .args(["-std=gnu11", "-O2", "-shared", "-fPIC", "-pthread", "-o"])
            .args([&count, &source])
            .args(["-ldl"])
            .run()?;
        Ok(Self { built, count })
    }

    /// `env` with what the program is to be started with, to which the program and its
    /// arguments are added: so it is `env` that becomes the program, and nothing else
    /// is watched. It is what `lockscope run` sets.
    pub(super) fn start(&self, way: Way, folder: &Path) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["env".into()];
        let mut set = |name: &str, value: &Path| {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            words.push(word);
        };
        if way == Way::Plain {
            return words;
        }
        let mut preload = self.built.join("liblockscope_pthread.so").into_os_string();
        if matches!(way, Way::CountedSampled | Way::CountedEvery) {
            preload.push(":");
            preload.push(&self.count);
            set("COUNT_FILE", &folder.join(COUNT_FILE));
        }
        set("LD_PRELOAD", Path::new(&preload));
        if way != Way::Closed {
            let period = if way == Way::CountedEvery { "1" } else { "100" };
            set("LOCKSCOPE_HOST", &self.built.join("liblockscope_host.so"));
            set("LOCKSCOPE_CONFIG", Path::new(""));
            set("LOCKSCOPE_BACKEND", &self.built.join("liblockscope_sidetable.so"));
            set("LOCKSCOPE_PERIOD", Path::new(period));
            set("LOCKSCOPE_CONTROL", Path::new("false"));
            set("LOCKSCOPE_STRICT", Path::new("true"));
            set("LOCKSCOPE_OUTPUT", &report_in(folder));
        }
        words
    }
}

/// Where the report of a run goes.
pub(super) fn report_in(folder: &Path) -> PathBuf {
    folder.join("lockscope.json")
}

/// What the independent count of the last run was, which is forgotten.
pub(super) fn counted(folder: &Path) -> Result<u64, Error> {
    let path = folder.join(COUNT_FILE);
    let bytes = fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
    let _ = fs::remove_file(&path);
    let lines = bytes.chunks_exact(64).filter_map(|line| line.first_chunk());
    Ok(lines.map(|first| u64::from_ne_bytes(*first)).sum())
}
