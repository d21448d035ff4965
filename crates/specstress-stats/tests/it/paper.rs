//! Figures the paper prints, from the rates it prints: read from `shared/data/paper_figures` beside the clone.

use std::path::Path;

use serde_json::Value;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    Confidence, Trend, agreement_matrix, binomial_standard_error, fleiss_kappa, proportion,
    risk_ratio,
};

/// The printed numbers; `None`, said aloud, where the data is absent.
fn reported() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/paper_figures/reported.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: the printed numbers are not at shared/data/paper_figures");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap().iter();
    list.map(|number| number.as_f64().unwrap()).collect()
}

/// A share of so many items as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of few items"
)]
fn count(share: f64, items: f64) -> usize {
    (share * items).round() as usize
}

/// A percentage as a count of 1,000.
fn per_mille(percent: f64) -> u64 {
    count(percent, 10.0) as u64
}

/// Ratings of three judges with the given flag rates and pairwise agreements, per 100,000 responses.
///
/// Binary labels fix every pairwise cell: `p_ij = (a_ij - 1 + p_i + p_j) / 2`. The share flagged by
/// all three is free, and kappa does not depend on it.
fn judges(flags: [f64; 3], agreements: [f64; 3], all_three: usize) -> Array2<Option<u32>> {
    let count = |share: f64| count(share, 1e5);
    let pair = |i: usize, j: usize, a: f64| count((a - 1.0 + flags[i] + flags[j]) / 2.0);
    let (p12, p13, p23) = (
        pair(0, 1, agreements[0]),
        pair(0, 2, agreements[1]),
        pair(1, 2, agreements[2]),
    );
    let patterns = [
        ([1, 1, 1], all_three),
        ([1, 1, 0], p12 - all_three),
        ([1, 0, 1], p13 - all_three),
        ([0, 1, 1], p23 - all_three),
        ([1, 0, 0], count(flags[0]) + all_three - p12 - p13),
        ([0, 1, 0], count(flags[1]) + all_three - p12 - p23),
        ([0, 0, 1], count(flags[2]) + all_three - p13 - p23),
    ];
    let mut flat = Vec::new();
    for (labels, count) in patterns {
        for _ in 0..count {
            flat.extend(labels.map(Some));
        }
    }
    flat.resize(3 * 100_000, Some(0));
    Array2::from_shape_vec((100_000, 3), flat).unwrap()
}

#[test]
fn the_printed_judge_rates_give_kappa_0_4220() {
    let Some(reported) = reported() else { return };
    let judged = &reported["judges"];
    let keys = ["claude_4_sonnet", "o3", "gemini_2_5_pro"];
    let flags = keys.map(|key| judged["flag_rate"][key].as_f64().unwrap());
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let agreements = pairs.map(|(a, b)| {
        let key = |a: usize, b: usize| format!("{}|{}", keys[a], keys[b]);
        let found = judged["agreement"][key(a, b)].as_f64();
        found
            .or_else(|| judged["agreement"][key(b, a)].as_f64())
            .unwrap()
    });
    for all_three in [20_000, 22_000] {
        let ratings = judges(flags, agreements, all_three);
        let matrix = agreement_matrix(ratings.view()).unwrap();
        for (pair, wanted) in matrix.pairs.iter().zip(agreements) {
            assert!((pair.share.unwrap() - wanted).abs() < 1e-9);
        }
        let found = fleiss_kappa(ratings.view()).unwrap();
        assert!((found.observed.unwrap() - 0.7225).abs() < 5e-5);
        assert!((found.expected.unwrap() - 0.5199).abs() < 5e-5);
        assert!((found.categories[1].1 - 0.4003).abs() < 5e-5);
        assert!((found.kappa.unwrap() - 0.4220).abs() < 5e-5);
        let printed = judged["fleiss_kappa"].as_f64().unwrap();
        assert!((found.kappa.unwrap() - printed).abs() < 5e-3);
    }
}

#[test]
fn table_2_has_binomial_standard_errors_and_folds_of_its_rates() {
    let Some(reported) = reported() else { return };
    let table = &reported["table2"];
    let n = table["n"].as_u64().unwrap();
    for row in ["all_pass", "all_fail"] {
        let printed = numbers(&table["se"][row]);
        for (rate, printed) in numbers(&table[row]).into_iter().zip(printed) {
            let error = binomial_standard_error(per_mille(rate), n)
                .unwrap()
                .unwrap();
            // Printed with one digit.
            assert!(
                (100.0 * error - printed).abs() <= 0.05 + 1e-9,
                "{row} {rate}: {error}"
            );
        }
    }
    let (pass, some) = (
        numbers(&table["all_pass"]),
        numbers(&table["at_least_one_fail"]),
    );
    assert!(
        pass.iter()
            .zip(&some)
            .all(|(pass, some)| (pass + some - 100.0).abs() < 1e-9)
    );
    let fail = numbers(&table["all_fail"]);
    for (rate, fold) in fail.iter().zip(numbers(&table["fold"])) {
        let base = (per_mille(fail[0]), n);
        let found = risk_ratio((per_mille(*rate), n), base, Confidence::default()).unwrap();
        assert!(
            (found.ratio.unwrap() - fold).abs() <= 0.05,
            "{rate}: {found:?}"
        );
    }
}

#[test]
fn figure_2_rises_from_bin_to_bin() {
    let Some(reported) = reported() else { return };
    let figure = &reported["figure2"];
    // "over 13x" for the majority; the other ratio is not printed.
    for (reading, fold) in [("majority", 13.857), ("any", 10.082)] {
        let rates = numbers(&figure[reading]);
        let counts: Vec<u64> = rates.iter().map(|rate| per_mille(*rate)).collect();
        let (first, last) = (counts[0], counts[counts.len() - 1]);
        let found = risk_ratio((last, 1000), (first, 1000), Confidence::default()).unwrap();
        assert!(
            (found.ratio.unwrap() - fold).abs() < 5e-4,
            "{reading}: {found:?}"
        );
        assert!(found.interval.unwrap().low > 5.0, "{reading}: {found:?}");
        let rates: Vec<_> = counts
            .iter()
            .map(|count| proportion(*count, 1000, Confidence::default()).unwrap())
            .collect();
        let trend = Trend::of_proportions(&rates, &[0.0, 1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!(trend.z > Some(10.0), "{reading}: {trend:?}");
    }
}
