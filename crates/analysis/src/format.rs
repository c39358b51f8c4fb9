//! Numbers as a reader wants them.

/// Stands where there is no number.
pub(crate) const NONE: &str = "–";

/// A fraction as a percentage: 0.873 is `87.3%`.
pub(crate) fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:.1}%", fraction * 100.0) } else { not_finite(fraction) }
}

/// A fraction that may be undefined.
pub(crate) fn percent_or_none(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| NONE.to_owned(), percent)
}

/// A loss with four digits after the point, or fewer when it is large.
pub(crate) fn loss(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => not_finite(value),
        size if size >= 1e6 => trim_exponent(&format!("{value:.2e}")),
        size if size >= 100.0 => format!("{value:.1}"),
        _ => format!("{value:.4}"),
    }
}

/// A learning rate as people write it: `1e-3`, `2.5e-4`, `0.1`.
pub(crate) fn rate(value: f64) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    if value == 0.0 || (0.01..1000.0).contains(&value.abs()) {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    trim_exponent(&format!("{value:.2e}"))
}

/// `1.00e-3` as `1e-3`.
fn trim_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{exponent}")
        }
        _ => text.to_owned(),
    }
}

fn not_finite(value: f64) -> String {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "∞"
    } else {
        "−∞"
    };
    text.to_owned()
}

/// A count with separated thousands.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `one` with a count of 1, `one` + `s` with any other.
pub(crate) fn counted(value: u64, one: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(value))
}

/// Images per second: whole ones, unless there are few.
pub(crate) fn throughput(value: f64) -> String {
    match value {
        _ if !value.is_finite() => not_finite(value),
        _ if value < 10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A duration in its two largest units.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return NONE.to_owned();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round();
    let (hours, minutes) = ((whole / 3600.0).floor(), (whole / 60.0).floor());
    if whole < 60.0 {
        format!("{whole:.0} s")
    } else if whole < 3600.0 {
        format!("{minutes:.0} min {:.0} s", whole - minutes * 60.0)
    } else {
        format!("{hours:.0} h {:.0} min", minutes - hours * 60.0)
    }
}

/// Memory in MiB or GiB.
pub(crate) fn bytes(value: u64) -> String {
    let mebibytes = value as f64 / f64::from(1 << 20);
    if mebibytes < 1024.0 {
        format!("{mebibytes:.0} MiB")
    } else {
        format!("{:.1} GiB", mebibytes / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        bytes, count, counted, duration, loss, percent, percent_or_none, rate, throughput,
    };

    #[test]
    fn rates() {
        for (value, expect) in [
            (1e-3, "1e-3"),
            (2.5e-4, "2.5e-4"),
            (0.1, "0.1"),
            (0.05, "0.05"),
            (1.0, "1"),
            (0.0, "0"),
            (100.0, "100"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(rate(value), expect);
        }
    }

    #[test]
    fn losses_and_percentages() {
        assert_eq!(loss(0.123_456), "0.1235");
        assert_eq!(loss(1234.56), "1234.6");
        assert_eq!(loss(1.5e30), "1.5e30");
        assert_eq!(loss(f64::INFINITY), "∞");
        assert_eq!(percent(0.8734), "87.3%");
        assert_eq!(percent(f64::NEG_INFINITY), "−∞");
        assert_eq!(percent_or_none(None), "–");
    }

    #[test]
    fn counts() {
        for (value, expect) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (50_000, "50,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(value), expect);
        }
        assert_eq!(counted(1, "epoch"), "1 epoch");
        assert_eq!(counted(1200, "image"), "1,200 images");
        assert_eq!(throughput(8.25), "8.2");
        assert_eq!(throughput(812.4), "812");
    }

    #[test]
    fn durations_and_sizes() {
        for (seconds, expect) in [
            (1.25, "1.2 s"),
            (59.4, "59 s"),
            (59.9, "1 min 0 s"),
            (3599.0, "59 min 59 s"),
            (3_720.0, "1 h 2 min"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(duration(seconds), expect);
        }
        assert_eq!(bytes(512 << 20), "512 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
    }
}
