//! proto
use crate::watch::{PROBE, Slotted, here};
use lock_api::RawMutex as _;
use lockscope_core::{CallSite, LockKind, Mode, Slot, Token, gate::state, recorder};

#[doc(hidden)]
pub struct RawMutex {
    inner: parking_lot::RawMutex,
    slot: Slot,
}
#[doc(hidden)]
pub struct Acq(Token, core::marker::PhantomData<*mut ()>);

impl RawMutex {
    #[inline(always)]
    fn watched(&self) -> Slotted<'_> {
        Slotted { slot: &self.slot, kind: LockKind::MUTEX }
    }
    #[inline(never)]
    fn lock_open(&self, site: CallSite) -> Token {
        if PROBE.gate.state() == state::UNSEEN {
            crate::attach::first_operation();
            if PROBE.gate.is_closed() {
                core::mem::forget(self.inner.lock());
                return Token::NONE;
            }
        }
        if self.inner.try_lock().is_some() {
            return recorder::uncontended(&PROBE, &self.watched(), Mode::EXCLUSIVE, site);
        }
        self.lock_contended(site)
    }
    #[cold]
    fn lock_contended(&self, site: CallSite) -> Token {
        let w = self.watched();
        let token = recorder::wait(&PROBE, &w, Mode::EXCLUSIVE, site);
        self.inner.lock();
        recorder::waited(&PROBE, &w, site, token);
        token
    }
}

unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: Self = Self { inner: parking_lot::RawMutex::INIT, slot: Slot::new(None) };
    type Guard = Acq;
    #[inline]
    #[track_caller]
    fn lock(&self) -> Acq {
        if PROBE.gate.is_closed() {
            self.inner.lock();
            return Acq(Token::NONE, core::marker::PhantomData);
        }
        Acq(self.lock_open(here()), core::marker::PhantomData)
    }
    #[inline]
    fn try_lock(&self) -> Option<Acq> {
        self.inner.try_lock().map(|_| Acq(Token::NONE, core::marker::PhantomData))
    }
    #[inline]
    unsafe fn unlock(&self, guard: Acq) {
        if guard.0.is_some() {
            recorder::release(&PROBE, &self.watched(), guard.0)
        }
        unsafe { self.inner.unlock(core::mem::transmute::<(), lock_api::GuardNoSend>(())) }
    }
    fn is_locked(&self) -> bool {
        self.inner.is_locked()
    }
}
#[doc(hidden)]
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
