//! The kit itself: is what it makes up like what it stands for?

mod likeness;
