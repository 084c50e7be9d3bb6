//! An event that is being put together, which a snapshot may read meanwhile.

use super::{Event, EventKind, LockKind, LockRef, Mode, Pending};
use crate::site::CallSite;
use crate::slot::Slot;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::thread::pads::Life;

/// An [`Event`] of atomics: the same fields at the same places.
///
/// Written in place by the thread that begins the operation, and handed to the
/// backend where it stands, because copying it costs more than all the rest of
/// a sample. Relaxed throughout: the sequence number of the
/// [`Acquisition`](crate::acquisition::Acquisition) around it orders readers.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct EventCell {
    slot: AtomicPtr<Slot>,
    address: AtomicUsize,
    id: AtomicU64,
    created: AtomicUsize,
    name: AtomicPtr<u8>,
    state: AtomicU64,
    name_len: AtomicU32,
    lock_kind: AtomicU32,
    probe: AtomicU32,
    lock_reserved: AtomicU32,
    /// Eight bytes of the event: see [`What`].
    what: AtomicU64,
    weight: AtomicU32,
    thread: AtomicU32,
    site: AtomicUsize,
    holder: AtomicUsize,
    begin: AtomicU64,
    acquired: AtomicU64,
    end: AtomicU64,
    stack: AtomicPtr<u64>,
}

/// What happened, and how: the small fields of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct What {
    pub(crate) kind: EventKind,
    pub(crate) mode: Mode,
    pub(crate) contended: u8,
    pub(crate) counted: u8,
    /// Number of the thread that held the lock when the wait began, plus one; 0
    /// if it is not known.
    pub(crate) holder_thread: u16,
}

impl What {
    /// See [`EventCell::is_plain`].
    const PLAIN: Self = Self {
        kind: EventKind::RELEASED,
        mode: Mode::EXCLUSIVE,
        contended: 0,
        counted: 1,
        holder_thread: 0,
    };

    #[inline(always)]
    fn packed(self) -> u64 {
        let Self { kind, mode, contended, counted, holder_thread } = self;
        let [low, high] = holder_thread.to_ne_bytes();
        u64::from_ne_bytes([kind.0, mode.0, contended, counted, 0, 0, low, high])
    }

    #[inline]
    fn unpacked(word: u64) -> Self {
        let [kind, mode, contended, counted, _, _, low, high] = word.to_ne_bytes();
        let holder_thread = u16::from_ne_bytes([low, high]);
        Self { kind: EventKind(kind), mode: Mode(mode), contended, counted, holder_thread }
    }
}

/// What is known when an operation begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning {
    pub(crate) lock: LockRef,
    pub(crate) what: What,
    pub(crate) weight: u32,
    pub(crate) site: CallSite,
    pub(crate) holder: CallSite,
    pub(crate) begin: u64,
    /// 0 while the lock is waited for.
    pub(crate) acquired: u64,
}

impl EventCell {
    pub(crate) fn new() -> Self {
        Self {
            slot: AtomicPtr::new(core::ptr::null_mut()),
            address: AtomicUsize::new(0),
            id: AtomicU64::new(0),
            created: AtomicUsize::new(0),
            name: AtomicPtr::new(core::ptr::null_mut()),
            state: AtomicU64::new(0),
            name_len: AtomicU32::new(0),
            lock_kind: AtomicU32::new(0),
            probe: AtomicU32::new(0),
            lock_reserved: AtomicU32::new(0),
            what: AtomicU64::new(0),
            weight: AtomicU32::new(0),
            thread: AtomicU32::new(0),
            site: AtomicUsize::new(0),
            holder: AtomicUsize::new(0),
            begin: AtomicU64::new(0),
            acquired: AtomicU64::new(0),
            end: AtomicU64::new(0),
            stack: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// Says whose operations are written here.
    #[inline]
    pub(crate) fn set_thread(&self, thread: u32) {
        self.thread.store(thread, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn begin(&self, beginning: &Beginning) {
        let Beginning { lock, what, weight, site, holder, begin, acquired } = beginning;
        self.slot.store(lock.slot.cast_mut(), Ordering::Relaxed);
        self.address.store(lock.address, Ordering::Relaxed);
        self.id.store(lock.id, Ordering::Relaxed);
        self.created.store(lock.created.0, Ordering::Relaxed);
        self.name.store(lock.name.cast_mut(), Ordering::Relaxed);
        self.name_len.store(lock.name_len, Ordering::Relaxed);
        self.lock_kind.store(lock.kind.0, Ordering::Relaxed);
        self.probe.store(lock.probe, Ordering::Relaxed);
        self.what.store(what.packed(), Ordering::Relaxed);
        self.weight.store(*weight, Ordering::Relaxed);
        self.site.store(site.0, Ordering::Relaxed);
        self.holder.store(holder.0, Ordering::Relaxed);
        self.begin.store(*begin, Ordering::Relaxed);
        self.acquired.store(*acquired, Ordering::Relaxed);
        self.state.store(lock.state, Ordering::Relaxed);
    }

    /// Whether it is [plain](Self::is_plain), of this lock, with this id or with none,
    /// and of this call site: then one more like it differs in its time.
    #[inline(always)]
    pub(crate) fn is_plain_of(&self, id: u64, lock: &LockRef, site: CallSite) -> bool {
        self.is_plain()
            && self.id() == id
            && self.address() == lock.address
            && (id != 0 || self.lock_kind() == lock.kind)
            && self.site() == site
    }

    /// Got the lock at once, at `now`; all else is as it was.
    #[inline(always)]
    pub(crate) fn begin_again(&self, now: u64) {
        self.begin.store(now, Ordering::Relaxed);
        self.acquired.store(now, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set_acquired(&self, acquired: u64) {
        self.acquired.store(acquired, Ordering::Relaxed);
    }

    /// What the backend has left in the slot.
    #[inline]
    pub(crate) fn set_state(&self, state: u64) {
        self.state.store(state, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn state(&self) -> u64 {
        self.state.load(Ordering::Relaxed)
    }

    /// The operation has ended.
    #[inline]
    pub(crate) fn end(&self, end: u64) {
        // Time stamps of two cores may differ by less than a tick's worth of
        // order; an event's never do.
        let acquired = self.acquired.load(Ordering::Relaxed);
        let begin = self.begin.load(Ordering::Relaxed);
        if acquired < begin {
            self.acquired.store(begin, Ordering::Relaxed);
        }
        self.end.store(end.max(acquired).max(begin), Ordering::Relaxed);
    }

    /// Ticks between getting the lock and giving it back at `end`.
    #[inline]
    pub(crate) fn held_ticks(&self, end: u64) -> u64 {
        end.saturating_sub(self.acquired.load(Ordering::Relaxed))
    }

    /// Whoever is told of it must not touch the slot.
    #[inline]
    pub(crate) fn hide_slot(&self) {
        self.slot.store(core::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Whether it is an exclusive acquisition that was counted, did not wait, and
    /// stands for itself.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.what.load(Ordering::Relaxed) == What::PLAIN.packed() && self.weight() == 1
    }

    /// The lock as long as it lives.
    #[inline]
    pub(crate) fn life(&self) -> Life {
        Life::of(self.id(), self.address(), self.lock_kind())
    }

    #[inline]
    fn lock_kind(&self) -> LockKind {
        LockKind(self.lock_kind.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn what(&self) -> What {
        What::unpacked(self.what.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_weight(&self, weight: u32) {
        self.weight.store(weight, Ordering::Relaxed);
    }

    /// How many operations it stands for.
    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// The operation, which has begun and not ended, as a snapshot shows it:
    /// with the number of the holder's thread, plus one, in place of the
    /// kernel's.
    pub(crate) fn pending(&self, thread: u64, waiting: bool) -> Pending {
        Pending {
            lock: self.id(),
            address: self.address(),
            site: CallSite(self.site.load(Ordering::Relaxed)),
            holder: CallSite(self.holder.load(Ordering::Relaxed)),
            begin: self.begin.load(Ordering::Relaxed),
            acquired: if waiting { 0 } else { self.acquired.load(Ordering::Relaxed) },
            thread,
            holder_thread: self.what().holder_thread.into(),
        }
    }

    /// Names the place anew.
    pub(crate) fn set_site(&self, site: CallSite) {
        self.site.store(site.0, Ordering::Relaxed);
    }

    /// Says who is charged with the wait.
    pub(crate) fn set_holder(&self, holder: CallSite) {
        self.holder.store(holder.0, Ordering::Relaxed);
    }

    /// Where it stands.
    #[inline]
    pub(crate) fn site(&self) -> CallSite {
        CallSite(self.site.load(Ordering::Relaxed))
    }

    /// A copy of it.
    pub(crate) fn read(&self) -> Event {
        let What { kind, mode, contended, counted, holder_thread } = self.what();
        Event {
            lock: LockRef {
                slot: self.slot.load(Ordering::Relaxed),
                address: self.address(),
                id: self.id(),
                created: CallSite(self.created.load(Ordering::Relaxed)),
                name: self.name.load(Ordering::Relaxed),
                state: self.state.load(Ordering::Relaxed),
                name_len: self.name_len.load(Ordering::Relaxed),
                kind: self.lock_kind(),
                probe: self.probe.load(Ordering::Relaxed),
                reserved: 0,
            },
            kind,
            mode,
            contended,
            counted,
            stack_len: 0,
            reserved: holder_thread,
            weight: self.weight.load(Ordering::Relaxed),
            thread: self.thread.load(Ordering::Relaxed),
            site: CallSite(self.site.load(Ordering::Relaxed)),
            holder: CallSite(self.holder.load(Ordering::Relaxed)),
            begin: self.begin.load(Ordering::Relaxed),
            acquired: self.acquired.load(Ordering::Relaxed),
            end: self.end.load(Ordering::Relaxed),
            stack: core::ptr::null(),
        }
    }

    /// The event where it stands. While it is read through this, nobody
    /// writes it.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    #[inline]
    pub(crate) fn as_event(&self) -> *const Event {
        core::ptr::from_ref(self).cast()
    }
}

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<EventCell>() == size_of::<Event>());
    assert!(offset_of!(EventCell, slot) == offset_of!(Event, lock.slot));
    assert!(offset_of!(EventCell, address) == offset_of!(Event, lock.address));
    assert!(offset_of!(EventCell, id) == offset_of!(Event, lock.id));
    assert!(offset_of!(EventCell, created) == offset_of!(Event, lock.created));
    assert!(offset_of!(EventCell, name) == offset_of!(Event, lock.name));
    assert!(offset_of!(EventCell, state) == offset_of!(Event, lock.state));
    assert!(offset_of!(EventCell, name_len) == offset_of!(Event, lock.name_len));
    assert!(offset_of!(EventCell, lock_kind) == offset_of!(Event, lock.kind));
    assert!(offset_of!(EventCell, probe) == offset_of!(Event, lock.probe));
    assert!(offset_of!(EventCell, what) == offset_of!(Event, kind));
    assert!(offset_of!(EventCell, what) + 1 == offset_of!(Event, mode));
    assert!(offset_of!(EventCell, what) + 2 == offset_of!(Event, contended));
    assert!(offset_of!(EventCell, what) + 3 == offset_of!(Event, counted));
    assert!(offset_of!(EventCell, what) + 6 == offset_of!(Event, reserved));
    assert!(offset_of!(EventCell, weight) == offset_of!(Event, weight));
    assert!(offset_of!(EventCell, thread) == offset_of!(Event, thread));
    assert!(offset_of!(EventCell, site) == offset_of!(Event, site));
    assert!(offset_of!(EventCell, holder) == offset_of!(Event, holder));
    assert!(offset_of!(EventCell, begin) == offset_of!(Event, begin));
    assert!(offset_of!(EventCell, acquired) == offset_of!(Event, acquired));
    assert!(offset_of!(EventCell, end) == offset_of!(Event, end));
    assert!(offset_of!(EventCell, stack) == offset_of!(Event, stack));
};
