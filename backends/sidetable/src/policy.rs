//! Which operations are sampled: one in N, of every lock with slot alike, and of
//! every thread's readers and locks without slot. What has to wait is recorded
//! beside that.

/// One period for all.
pub(crate) use lockscope_backends::steady::Steady as Policy;
