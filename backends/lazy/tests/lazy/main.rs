//! The backend through its trait: windows, and what is told of them.

mod live;
