//! How a number in a record is written: alone, or among others.
//!
//! Every number is an atomic, because a snapshot reads it at any time. Who
//! owns a lock exclusively is the only writer of what such an owner writes,
//! and pays a plain load and store; everybody else pays a read-modify-write.
//! The two may meet in one field only if the lock itself keeps them apart.
//!
//! All accesses are relaxed: no number is used to find or to order another.
//! What one owner wrote, the next one sees through the lock.

use lockscope_core::sync::{AtomicU64, Ordering};

/// A way to write.
pub(crate) trait Writer {
    /// Adds `amount`, wrapping: nanoseconds fill 64 bits in 584 years.
    fn add(cell: &AtomicU64, amount: u64);

    /// Raises a maximum to `amount`.
    fn raise(cell: &AtomicU64, amount: u64);

    /// Adds to a number that is an `f64` by its bits.
    fn add_f64(cell: &AtomicU64, amount: f64);
}

/// The caller is the only writer of the field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alone;

impl Writer for Alone {
    #[inline]
    fn add(cell: &AtomicU64, amount: u64) {
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    #[inline]
    fn raise(cell: &AtomicU64, amount: u64) {
        if amount > cell.load(Ordering::Relaxed) {
            cell.store(amount, Ordering::Relaxed);
        }
    }

    #[inline]
    fn add_f64(cell: &AtomicU64, amount: f64) {
        let sum = f64::from_bits(cell.load(Ordering::Relaxed)) + amount;
        cell.store(sum.to_bits(), Ordering::Relaxed);
    }
}

/// Others may write the field at the same time, the same way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Among;

impl Writer for Among {
    #[inline]
    fn add(cell: &AtomicU64, amount: u64) {
        cell.fetch_add(amount, Ordering::Relaxed);
    }

    #[inline]
    fn raise(cell: &AtomicU64, amount: u64) {
        // The load first: a maximum is rarely raised, and a line that is only
        // read stays with all who read it.
        if amount > cell.load(Ordering::Relaxed) {
            cell.fetch_max(amount, Ordering::Relaxed);
        }
    }

    #[inline]
    fn add_f64(cell: &AtomicU64, amount: f64) {
        let mut seen = cell.load(Ordering::Relaxed);
        loop {
            let sum = (f64::from_bits(seen) + amount).to_bits();
            match cell.compare_exchange_weak(seen, sum, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(actual) => seen = actual,
            }
        }
    }
}

/// A number that was written by [`Writer::add_f64`].
pub(crate) fn read_f64(cell: &AtomicU64) -> f64 {
    f64::from_bits(cell.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both<W: Writer>() {
        let (count, float) = (AtomicU64::new(0), AtomicU64::new(0));
        for n in [3, 9, 4] {
            W::add(&count, n);
            W::add_f64(&float, n as f64 / 2.0);
        }
        assert_eq!((count.load(Ordering::Relaxed), read_f64(&float)), (16, 8.0));
        let most = AtomicU64::new(5);
        W::raise(&most, 4);
        assert_eq!(most.load(Ordering::Relaxed), 5);
        W::raise(&most, 6);
        assert_eq!(most.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn both_ways_count_the_same() {
        both::<Alone>();
        both::<Among>();
    }

    #[test]
    fn among_others_nothing_is_lost() {
        let (count, float) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        Among::add(&count, 2);
                        Among::add_f64(&float, 0.5);
                    }
                });
            }
        });
        assert_eq!((count.load(Ordering::Relaxed), read_f64(&float)), (12_000, 3_000.0));
    }
}
