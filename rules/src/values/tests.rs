//! What this folder promises.

use super::*;

fn evaluated(text: &str) -> Result<Value, Mistake> {
    evaluate(&Expression::parse(text)?, &mut |_| None, &mut Fuel::default())
}

#[test]
fn precedence_of_the_smallest() {
    for (text, value) in [
        ("1 + 2 * 3", "7"),
        ("0.5 * 100m", "50000000.0"),
        ("not 80..443", "not 80..443"),
        ("192.0.2.1..192.0.2.9", "192.0.2.1..192.0.2.9"),
        ("bd31:3bee::", "bd31:3bee::"),
    ] {
        assert_eq!(evaluated(text).unwrap().to_string(), value, "{text}");
    }
}
