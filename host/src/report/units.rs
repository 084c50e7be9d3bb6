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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::width;
    use super::*;

    #[test]
    fn counts_have_three_digits_and_a_unit() {
        let texts = [0.0, 0.2, 1.0, 999.4, 12_345.0, 99_999.0, 99_999.5, 4_524_000.0, 1.5e19, 1e30]
            .map(count);
        let expected =
            ["0", "<1", "1", "999", "12,345", "99,999", "100 k", "4.52 M", "15.0 E", "1e30"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let times = [
            (0.0, "0 ns"),
            (0.3, "<1 ns"),
            (41.7, "42 ns"),
            (999.5, "1.00 µs"),
            (1_234_567.0, "1.23 ms"),
            (9_995_000.0, "10.0 ms"),
            (12.3e9, "12.3 s"),
            (1_000.0e9, "16.7 min"),
            (3_600.0e9 * 20.0, "20.0 h"),
            (u64::MAX as f64, "585 y"),
        ];
        for (ns, expected) in times {
            assert_eq!(duration(ns), expected);
        }
    }

    #[test]
    fn an_error_is_told_from_one_per_cent() {
        let total = |standard_error| Total { value: 1000.0, standard_error };
        assert_eq!(error(total(9.9)), None);
        assert_eq!(error(total(10.0)).as_deref(), Some("±1 %"));
        assert_eq!(error(total(995.0)).as_deref(), Some("±100 %"));
        assert_eq!(error(Total { value: 0.0, standard_error: 1.0 }), None);
    }

    #[test]
    fn shares_plurals_and_thousands() {
        assert_eq!([0.0, 0.001, 0.734, 1.0].map(share), ["0 %", "<1 %", "73 %", "100 %"]);
        assert_eq!(plural(1, "lock"), "1 lock");
        assert_eq!(plural(1_204, "lock"), "1,204 locks");
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    /// The number that a text stands for.
    fn parse(text: &str) -> f64 {
        let text = text.replace(',', "");
        let (digits, unit) = text.split_once(' ').unwrap_or((&text, ""));
        let scale = match unit {
            "" | "ns" => 1.0,
            "k" | "µs" => 1e3,
            "M" | "ms" => 1e6,
            "G" | "s" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "min" => 60e9,
            "h" => 3_600e9,
            "d" => 86_400e9,
            "y" => 365.25 * 86_400e9,
            other => panic!("no unit: {other}"),
        };
        digits.replace("<1", "0.25").parse::<f64>().expect("digits") * scale
    }

    /// Numbers of all magnitudes alike.
    fn magnitudes(greatest: f64) -> impl Strategy<Value = f64> {
        (-2.0..greatest).prop_map(|power| 10_f64.powf(power))
    }

    proptest! {
        #[test]
        fn no_number_is_wider_than_its_column(value in magnitudes(300.0)) {
            prop_assert!(width(&count(value)) <= 7, "{}", count(value));
            prop_assert!(width(&duration(value.min(1e28))) <= 8, "{}", duration(value));
        }

        #[test]
        fn a_text_is_as_true_as_three_digits_can_be(
            value in magnitudes(20.9),
            // As long as 64 bits of nanoseconds, and a little more.
            ns in magnitudes(19.4),
        ) {
            for (value, text) in [(value, count(value)), (ns, duration(ns))] {
                let off = (parse(&text) - value).abs();
                prop_assert!(off <= (value * 0.00501).max(0.5), "{value} as {text}");
            }
        }

        #[test]
        fn a_greater_number_never_looks_smaller(
            value in magnitudes(20.0),
            factor in 1.0..1.01_f64,
        ) {
            let greater = value * factor;
            prop_assert!(parse(&count(value)) <= parse(&count(greater)));
            prop_assert!(parse(&duration(value)) <= parse(&duration(greater)));
        }
    }
}
