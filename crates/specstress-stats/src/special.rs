//! The few special functions the tests and intervals need, in plain `f64`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use crate::Confidence;

/// `P(Z <= z)` of a standard normal `Z`, to about 1e-14 relative in both tails.
///
/// The inverse of [`normal_quantile`](crate::normal_quantile()). 0 and 1 beyond the range of
/// `f64`, NaN for NaN. Cost O(1).
///
/// ```
/// assert!((specstress_stats::normal_cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-14);
/// ```
pub fn normal_cdf(z: f64) -> f64 {
    upper_tail(-z)
}

/// `P(|Z| >= |z|)`.
pub(crate) fn two_sided(z: f64) -> f64 {
    (2.0 * upper_tail(z.abs())).min(1.0)
}

/// `P(Z > z) = erfc(z / sqrt 2) / 2`.
fn upper_tail(z: f64) -> f64 {
    let x = z.abs() * FRAC_1_SQRT_2;
    let tail = if x < 2.0 {
        // erf by its series with terms of one sign.
        let (mut term, mut sum, mut k) = (x, x, 1.0);
        while term > sum * 1e-17 {
            term *= 2.0 * x * x / (2.0 * k + 1.0);
            sum += term;
            k += 1.0;
        }
        0.5 - sum * (-x * x).exp() / PI.sqrt()
    } else {
        // The continued fraction x + (1/2)/(x + 1/(x + (3/2)/(x + ...))), from the inside.
        let inner = (1..=120)
            .rev()
            .fold(x, |inner, k| x + 0.5 * f64::from(k) / inner);
        0.5 * (-x * x).exp() / (PI.sqrt() * inner)
    };
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// `ln Gamma(a) - ((a - 1/2) ln a - a + ln(2 pi)/2)`, the error of Stirling's formula, `a > 0`.
fn stirling_error(mut a: f64) -> f64 {
    let mut below = 0.0;
    while a < 15.0 {
        below += (a + 0.5) * (1.0 / a).ln_1p() - 1.0;
        a += 1.0;
    }
    let square = (a * a).recip();
    let series = 1.0 / 12.0
        - square
            * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0)));
    below + series / a
}

/// `x^a (1-x)^b / B(a, b)`, without the cancellation of large log-gammas.
fn beta_power(a: f64, b: f64, x: f64) -> f64 {
    let all = a + b;
    // Near the mean the ratio is 1 plus a small number, which must keep its digits.
    let log_ratio = |x: f64, a: f64| {
        let beyond = (x * all - a) / a;
        if beyond.abs() < 0.5 {
            beyond.ln_1p()
        } else {
            (x * all / a).ln()
        }
    };
    let exponent = a * log_ratio(x, a) + b * log_ratio(1.0 - x, b) + stirling_error(all)
        - stirling_error(a)
        - stirling_error(b);
    (a / all * b / (2.0 * PI)).sqrt() * exponent.exp()
}

/// The regularised incomplete beta function `I_x(a, b)` for `a, b > 0`, `x` in `[0, 1]`.
pub(crate) fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x <= (a + 1.0) / (a + b + 2.0) {
        beta_power(a, b, x) * beta_fraction(a, b, x) / a
    } else {
        1.0 - beta_power(b, a, 1.0 - x) * beta_fraction(b, a, 1.0 - x) / b
    }
}

#[expect(
    clippy::many_single_char_names,
    reason = "the letters of the published algorithm"
)]
/// The continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = away(1.0 - (a + b) * x / (a + 1.0)).recip();
    let mut fraction = d;
    // Converges in O(sqrt(max(a, b))) steps on this side of the mean.
    for step in 1..100_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = away(1.0 + even * d).recip();
        c = away(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = away(1.0 + odd * d).recip();
        c = away(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The `x` with `I_x(a, b) = probability`, by bisection to the last bit.
pub(crate) fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_cdf(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 1e-16 * high {
            return high;
        }
    }
}

/// The `t` with `P(|T| <= t)` at the level, of Student's t with so many degrees of freedom, at
/// least 1; not below the normal quantile it tends to.
pub(crate) fn student_half_width(confidence: Confidence, freedom: usize) -> f64 {
    let df = freedom as f64;
    // 1 - t^2 / (df + t^2), which keeps the small tail exact.
    let rest = beta_quantile(df / 2.0, 0.5, 1.0 - confidence.level());
    (df * (1.0 - rest) / rest).sqrt().max(confidence.z())
}

/// `P(X <= k)` of a binomial `X` with `n` trials at `p`.
pub(crate) fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_cdf((n - k) as f64, k as f64 + 1.0, 1.0 - p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64, relative: f64) {
        assert!(
            (found - wanted).abs() <= relative * wanted.abs(),
            "{found} for {wanted}"
        );
    }

    /// scipy 1.12.0, `stats.norm.cdf`.
    #[test]
    fn normal_tails_match_scipy() {
        for (z, p) in [
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (-1.3, 0.096_800_484_585_610_36),
            (2.5, 0.993_790_334_674_223_8),
            (6.0, 0.999_999_999_013_412_3),
            (-8.0, 6.220_960_574_271_74e-16),
            (-37.0, 5.725_571_222_523_927e-300),
        ] {
            close(normal_cdf(z), p, 1e-13);
        }
        close(two_sided(-2.5), 2.0 * 0.006_209_665_325_776_132, 1e-13);
        assert_eq!(two_sided(0.0), 1.0);
    }

    /// scipy 1.12.0, `special.betainc` and `special.betaincinv`.
    #[test]
    fn the_incomplete_beta_function_matches_scipy() {
        for (a, b, x, p) in [
            (0.5, 0.5, 0.3, 0.369_010_119_565_545_36),
            (2.0, 3.0, 0.4, 0.524_8),
            (10.0, 1.0, 0.9, 0.348_678_440_1),
            (1000.0, 2000.0, 0.33, 0.350_632_676_134_144_5),
            (49_999.0, 361_002.0, 0.12, 0.000_574_918_762_489_924_5),
            (1e6, 1e6, 0.5001, 0.611_351_282_137_678_1),
            (1.0, 1.0, 0.7, 0.7),
            (300.0, 2.0, 0.999, 0.962_919_141_802_929_3),
        ] {
            close(beta_cdf(a, b, x), p, 1e-10);
        }
        for (a, b, p, x) in [
            (0.5, 0.5, 0.3, 0.206_107_373_853_763_4),
            (2.0, 3.0, 0.4, 0.329_166_503_378_407_9),
            (10.0, 1.0, 0.025, 0.691_502_892_181_239_2),
            (1000.0, 2000.0, 0.975, 0.350_303_016_727_21),
            (49_999.0, 361_002.0, 0.025, 0.120_654_165_088_201_98),
            (1.0, 50.0, 0.5, 0.013_767_295_506_640_832),
        ] {
            close(beta_quantile(a, b, p), x, 1e-11);
        }
    }

    /// scipy 1.12.0, `stats.t.ppf`.
    #[test]
    fn student_quantiles_match_scipy() {
        let level = Confidence::default();
        for (freedom, t) in [
            (1, 12.706_204_736_432_095),
            (2, 4.302_652_729_911_275),
            (9, 2.262_157_162_740_991_5),
            (59, 2.000_995_377_048_21),
            (1_000, 1.962_339_080_826_407_4),
        ] {
            close(student_half_width(level, freedom), t, 1e-9);
        }
        let many = student_half_width(level, 10_000_000);
        close(many, level.z(), 1e-6);
    }

    #[test]
    fn binomial_tails_are_sums_of_coins() {
        for (k, p) in [(0, 0.5_f64), (3, 0.5), (9, 0.5), (2, 0.1)] {
            let mut sum = 0.0;
            let mut ways = 1.0;
            for i in 0..=k {
                sum += ways * p.powi(i) * (1.0 - p).powi(10 - i);
                ways *= f64::from(10 - i) / f64::from(i + 1);
            }
            close(binomial_cdf(k.unsigned_abs().into(), 10, p), sum, 1e-12);
        }
        assert_eq!(binomial_cdf(10, 10, 0.3), 1.0);
    }
}
