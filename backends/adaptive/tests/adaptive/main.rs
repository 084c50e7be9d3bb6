//! The backend through its trait: sessions, events that are made up, and what
//! it says of them.

mod asked;
mod watched;

lockscope_backend_testing::tests!(lockscope_adaptive::Adaptive, but for its period);
