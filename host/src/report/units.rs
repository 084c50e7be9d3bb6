//! Numbers as people read them: three digits and a unit.

use super::model::Total;

/// A standard error below this part of its total is not worth a reader's time.
const WORTH_SAYING: f64 = 0.01;

/// A count: `0`, `12,345`, `4.52 M`. At most 7 columns wide.
pub(crate) fn count(value: f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    if value < 0.5 {
        return "<1".to_owned();
    }
    if value < 99_999.5 {
        return thousands(value.round() as u64);
    }
    let mut scaled = value / 1e3;
    for unit in ["k", "M", "G", "T", "P", "E"] {
        if scaled < 999.5 {
            return format!("{} {unit}", three_digits(scaled));
        }
        scaled /= 1e3;
    }
    format!("{value:.0e}")
}

/// A whole number with a comma at the thousands: `1,234,567`.
pub(crate) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds: `0 ns`, `1.23 ms`, `16.7 min`. At most 8 columns wide.
pub(crate) fn duration(ns: f64) -> String {
    if ns <= 0.0 {
        return "0 ns".to_owned();
    }
    if ns < 0.5 {
        return "<1 ns".to_owned();
    }
    if ns < 999.5 {
        return format!("{ns:.0} ns");
    }
    let mut scaled = ns / 1e3;
    // How many of the unit make one of the next.
    let units = [("µs", 1e3), ("ms", 1e3), ("s", 60.0), ("min", 60.0), ("h", 24.0), ("d", 365.25)];
    for (unit, next) in units {
        if scaled < 999.5 {
            return format!("{} {unit}", three_digits(scaled));
        }
        scaled /= next;
    }
    if scaled < 999.5 { format!("{} y", three_digits(scaled)) } else { format!("{scaled:.0e} y") }
}

/// How far a total may be off, if that is worth saying: `±3 %`.
pub(crate) fn error(total: Total) -> Option<String> {
    let share = total.standard_error / total.value;
    (total.value > 0.0 && share >= WORTH_SAYING)
        .then(|| format!("±{:.0} %", (share * 100.0).min(999.0)))
}

/// A part of a whole, from 0 to 1: `73 %`.
pub(crate) fn share(part: f64) -> String {
    let percent = part * 100.0;
    if percent > 0.0 && percent < 0.5 { "<1 %".to_owned() } else { format!("{percent:.0} %") }
}

/// A singular or plural: `1 lock`, `12 locks`.
pub(crate) fn plural(number: u64, singular: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {singular}{ending}", thousands(number))
}

/// `value`, which is less than 999.5, in three digits or fewer.
fn three_digits(value: f64) -> String {
    // What would round to four digits takes one decimal less.
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
