//! Numbers as people read them.

/// Formats a number with a unit prefix: `43.2 M`.
pub(crate) fn short(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k", n / 1e3),
        n if n >= 10.0 || n == 0.0 => format!("{n:.0}"),
        n => format!("{n:.2}"),
    }
}

/// Formats an amount of US dollars, without cents from a thousand on: `$1,234`.
pub(crate) fn dollars(amount: f64) -> String {
    if amount < 999.995 {
        return format!("${amount:.2}");
    }
    let mut whole = format!("{amount:.0}");
    for at in (1..whole.len())
        .rev()
        .filter(|at| (whole.len() - at) % 3 == 0)
        .collect::<Vec<_>>()
    {
        whole.insert(at, ',');
    }
    format!("${whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_have_cents_or_thousands_separators() {
        let amounts = [5.0, 999.99, 999.996, 1_234.0, 1_234_567.0].map(dollars);
        assert_eq!(
            amounts,
            ["$5.00", "$999.99", "$1,000", "$1,234", "$1,234,567"]
        );
    }

    #[test]
    fn large_numbers_have_a_unit_prefix() {
        assert_eq!(
            [0.5, 1_000.0, 43_200.0, 43.2e6].map(short),
            ["0.50", "1000", "43 k", "43.2 M"]
        );
    }
}
