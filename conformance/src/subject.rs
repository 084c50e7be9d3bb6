//! A backend as the kit drives it: by its frozen interface alone.
//!
//! A loaded plugin and a backend that is linked in go the same way: calls of the
//! host through the trait object, calls of probes through the function table. So
//! what a check says of one it says of the other.

use lockscope_core::backend::{
    Backend, BackendBox, BackendError, Description, Pace, Setting, TableRef, module,
};
use lockscope_core::report::Report;
use lockscope_core::{Countdown, Event, HookTable, LockRef, Session};
use lockscope_host::HostError;
use lockscope_host::loader::Plugin;

/// A backend that the kit drives.
pub struct Subject {
    backend: &'static BackendBox,
    table: &'static HookTable,
    description: Description,
    pacing: Pacing,
}

/// What the gates of a simulated session do, whatever the backend wants.
#[derive(Clone, Debug, Default)]
pub struct Pacing {
    /// Of acquisitions that have to wait, one in so many is recorded; `None` for
    /// as many as the backend wants.
    pub contended_period: Option<u32>,
    /// How the gates stand, one after the other and again from the first, and for
    /// how many nanoseconds; none if they stand as the backend wants.
    pub windows: Vec<(u32, u64)>,
}

impl core::fmt::Debug for Subject {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Subject").field("name", &self.description.name).finish_non_exhaustive()
    }
}

impl Subject {
    /// A new instance of a backend that is linked into this program, not yet
    /// initialised.
    ///
    /// # Errors
    ///
    /// That it panics when it is made or described.
    pub fn of<B: Backend>() -> Result<Self, BackendError> {
        let module = module::<B>();
        let description = module.describe()().into_result()?;
        let backend: &'static BackendBox = Box::leak(Box::new(module.create()().into_result()?));
        let TableRef(table) = backend.hooks();
        // SAFETY: a table of this build, which lives for ever.
        let table = unsafe { &*table.cast::<HookTable>() };
        Ok(Self { backend, table, description, pacing: Pacing::default() })
    }

    /// A new instance of the backend that `plugin` holds, not yet initialised.
    ///
    /// # Errors
    ///
    /// Those of [`Plugin::create`].
    pub fn new(plugin: &Plugin) -> Result<Self, HostError> {
        let (backend, table) = plugin.create()?;
        let description = plugin.description.clone();
        Ok(Self { backend, table, description, pacing: Pacing::default() })
    }

    /// The same, with gates that stand as `pacing` says.
    #[must_use]
    pub fn paced(self, pacing: Pacing) -> Self {
        Self { pacing, ..self }
    }

    /// What the backend says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// All its keys: with the values of `given`, or else with their defaults. A
    /// key of `given` that it does not have comes last: to refuse it is the
    /// backend's.
    #[must_use]
    pub fn settings(&self, given: &[(&str, &str)]) -> Vec<Setting> {
        let value = |name: &str, default: &str| {
            let given = given.iter().find(|(key, _)| *key == name);
            given.map_or(default, |(_, value)| value).into()
        };
        let keys = &self.description.keys;
        let known = keys
            .iter()
            .map(|key| Setting { key: key.name.clone(), value: value(&key.name, &key.default) });
        let unknown = given.iter().filter(|(name, _)| !keys.iter().any(|key| key.name == *name));
        let unknown =
            unknown.map(|(name, value)| Setting { key: (*name).into(), value: (*value).into() });
        known.chain(unknown).collect()
    }

    /// Takes the configuration.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        self.backend.init(settings.to_vec().into()).into_result()
    }

    /// Begins a session.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn start(&self, session: &Session) -> Result<(), BackendError> {
        let session = lockscope_core::backend::SessionRef(core::ptr::from_ref(session).cast());
        self.backend.start(session).into_result()
    }

    /// Ends the session.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn stop(&self) -> Result<(), BackendError> {
        self.backend.stop().into_result()
    }

    /// Changes one key.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        self.backend.configure(key.into(), value.into()).into_result()
    }

    /// What was recorded.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn snapshot(&self) -> Result<Report, BackendError> {
        self.backend.snapshot().into_result()
    }

    /// Wakes it.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn wake(&self, cause: &str) -> Result<(), BackendError> {
        self.backend.wake(cause.into()).into_result()
    }

    /// How the session is to go on, asked for the time after `asked` times: what
    /// the backend says, but for what [`Pacing`] does.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub fn pace(&self, asked: usize) -> Result<Pace, BackendError> {
        let mut pace = self.backend.pace().into_result()?;
        if let Some(period) = self.pacing.contended_period {
            pace.contended_period = period;
        }
        let windows = &self.pacing.windows;
        if !windows.is_empty() {
            (pace.gate, pace.ask_after_ns) = windows[asked % windows.len()];
        }
        Ok(pace)
    }

    /// What came after version 1; whether the answer is none.
    #[must_use]
    pub fn answers_nothing_to(&self, query: u64) -> bool {
        self.backend.query(query).is_null()
    }

    /// The entries for probes.
    #[must_use]
    pub fn table(&self) -> &'static HookTable {
        self.table
    }

    /// The session meets a lock, or a thread needs a countdown.
    #[inline]
    pub fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        let lock = lock.map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: the table's own context; the lock is null, or valid for the call.
        unsafe { (self.table.meet)(self.table.context, lock) }
    }

    /// One recorded operation.
    #[inline]
    pub fn event(&self, event: &Event) -> Countdown {
        // SAFETY: the table's own context; the event is valid for the call.
        unsafe { (self.table.event)(self.table.context, event) }
    }

    /// A lock that the session has met is dropped.
    #[inline]
    pub fn dropped(&self, lock: &LockRef) {
        // SAFETY: the table's own context; the lock is valid for the call.
        unsafe { (self.table.dropped)(self.table.context, lock) }
    }
}

/// A backend that is linked into this program and has taken its configuration:
/// the values of `settings`, and its defaults for all other keys.
///
/// # Errors
///
/// Those of the backend's `init`.
pub fn initialised<B: Backend>(settings: &[(&str, &str)]) -> Result<Subject, BackendError> {
    let subject = Subject::of::<B>()?;
    subject.init(&subject.settings(settings))?;
    Ok(subject)
}
