//! With the probe's own locks, and gates that move as the backend says: what a
//! program sees of windows.

mod contention;
mod host;
mod load;
mod windows;
