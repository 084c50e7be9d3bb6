//! Who a thread is, for [`ReentrantMutex`](crate::ReentrantMutex).

use core::num::NonZeroUsize;

use bare_api::GetThreadId as _;

/// Tells threads apart.
pub struct RawThreadId;

// SAFETY: parking_lot 0.12's own, to which the same holds: no two living threads have
// one number, and none is 0.
unsafe impl lock_api::GetThreadId for RawThreadId {
    const INIT: Self = Self;

    fn nonzero_thread_id(&self) -> NonZeroUsize {
        bare::RawThreadId.nonzero_thread_id()
    }
}
