/// The quantile of rising numbers, interpolated linearly between the two nearest (type 7 of
/// Hyndman & Fan 1996); `None` without numbers.
pub(crate) fn sorted_quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = probability.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the last index"
    )]
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let share = place - below as f64;
    Some(sorted[below] + share * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_meet_the_ends() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        // numpy 1.26.4, quantile with the default method.
        for (p, q) in [
            (0.0, 1.0),
            (0.25, 1.75),
            (0.5, 3.0),
            (0.95, 7.4),
            (1.0, 8.0),
        ] {
            assert!(
                (sorted_quantile(&sorted, p).unwrap() - q).abs() < 1e-12,
                "{p}"
            );
        }
        assert_eq!(sorted_quantile(&[], 0.5), None);
        assert_eq!(sorted_quantile(&[3.0], 0.9), Some(3.0));
    }
}
