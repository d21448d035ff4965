//! Numbers that the paper prints, as facts to compare with: Zhang et al., arXiv 2510.07686 v2 of 23 October 2025, and for
//! the rankings Hua of 12 January 2026. They are about the released models and their answers of 2025, and about nothing
//! else.

/// Where the numbers are from.
pub const REPORTED_SOURCE: &str = "Zhang et al., arXiv 2510.07686 v2, 23 Oct 2025";

/// Questions with two models that differ by 3 points or more, "more than" (page 2; method section 7.14).
pub const REPORTED_ANY_PAIR: u64 = 220_000;

/// Questions of high disagreement over all models before they are thinned out, "more than" (page 2).
pub const REPORTED_HIGH: u64 = 70_000;

/// Outlier questions per model (figure 6), in the order of [`PUBLISHED_MODELS`](super::PUBLISHED_MODELS). Their pool is
/// not named (method section 7.4).
pub const REPORTED_OUTLIERS: [u64; 12] = [
    9_244, 169, 3_729, 961, 480, 2_109, 250, 832, 628, 10_503, 4_086, 1_468,
];

/// Frequent non-compliance per bin of disagreement (figure 2): the bin, the share in percent by majority, and the share
/// of any judge.
pub const REPORTED_FREQUENT: [(&str, f64, f64); 5] = [
    ("std_0.0_to_1.0", 0.7, 4.9),
    ("std_1.0_to_1.5", 1.2, 5.3),
    ("std_1.5_to_2.0", 1.4, 12.3),
    ("std_2.0_to_2.5", 4.9, 28.0),
    ("std_2.5_to_3.0", 9.7, 49.4),
];

/// The judges, each with the names it goes by: in the paper, in the release, and as a model key.
pub const REPORTED_JUDGES: [&[&str]; 3] = [
    &["claude_4_sonnet", "claude_4", "claude_sonnet_4"],
    &["o3", "gpt41"],
    &["gemini_2_5_pro", "gemini_2_5"],
];

/// Answers that each judge calls problematic, in percent of 5,000 (page 9), in the order of [`REPORTED_JUDGES`].
pub const REPORTED_FLAGGED: [f64; 3] = [48.1, 35.5, 36.5];

/// Agreement of two judges on whether an answer is problematic, in percent: their places among the judges, and the share.
pub const REPORTED_AGREEMENT: [(usize, usize, f64); 3] =
    [(0, 1, 67.52), (0, 2, 72.39), (1, 2, 76.84)];

/// Fleiss' kappa of the three judges on whether an answer is problematic (page 9).
pub const REPORTED_KAPPA: f64 = 0.42;

/// Answers per category of values and model on the questions of high disagreement (figure 10), models in the order of
/// [`PUBLISHED_MODELS`](super::PUBLISHED_MODELS).
pub const REPORTED_VALUES: [(&str, [u64; 12]); 9] = [
    (
        "Ethical responsibility",
        [
            10_616, 10_397, 17_644, 7_023, 9_086, 8_210, 6_404, 6_072, 6_883, 5_961, 4_898, 4_218,
        ],
    ),
    (
        "Emotional depth and authentic connection",
        [
            3_070, 3_117, 3_806, 4_366, 4_127, 7_783, 4_198, 3_790, 2_448, 5_024, 1_685, 2_011,
        ],
    ),
    (
        "Efficiency and resource optimization",
        [
            6_531, 6_782, 6_613, 7_384, 7_279, 7_107, 9_488, 9_376, 8_315, 10_802, 9_801, 11_339,
        ],
    ),
    (
        "Intellectual integrity and objectivity",
        [
            7_035, 6_258, 7_145, 6_485, 6_584, 5_459, 4_211, 3_528, 4_051, 4_942, 3_720, 3_760,
        ],
    ),
    (
        "Critical thinking",
        [
            10_618, 9_925, 5_642, 9_648, 12_293, 12_769, 5_494, 5_520, 6_008, 8_705, 4_156, 4_473,
        ],
    ),
    (
        "Professional and technical excellence",
        [
            3_075, 6_745, 3_539, 6_300, 6_543, 8_756, 7_600, 9_253, 6_851, 10_226, 8_933, 8_760,
        ],
    ),
    (
        "Business effectiveness",
        [
            1_437, 2_292, 1_098, 3_050, 3_312, 3_378, 2_778, 3_920, 2_673, 3_079, 1_921, 2_809,
        ],
    ),
    (
        "Personal growth and wellbeing",
        [
            2_359, 2_016, 4_627, 2_130, 2_452, 3_475, 2_556, 2_492, 2_849, 2_567, 1_024, 1_470,
        ],
    ),
    (
        "Social equity and justice",
        [
            1_571, 2_239, 2_797, 1_977, 2_316, 2_696, 2_179, 1_812, 2_422, 2_431, 1_187, 1_401,
        ],
    ),
];

/// Accuracy of value rankings on held-out comparisons (Hua 2026), in the order of
/// [`PUBLISHED_MODELS`](super::PUBLISHED_MODELS).
pub const REPORTED_RANKING_ACCURACY: [f64; 12] = [
    0.8563, 0.6805, 0.7633, 0.6382, 0.6497, 0.7502, 0.7012, 0.7372, 0.6394, 0.8812, 0.6256, 0.6244,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_add_up_as_the_method_says() {
        assert_eq!(REPORTED_OUTLIERS.iter().sum::<u64>(), 34_459);
        // Kappa follows from the flag rates and the agreements.
        let observed: f64 = REPORTED_AGREEMENT
            .iter()
            .map(|(.., share)| share / 300.0)
            .sum();
        let prevalence: f64 = REPORTED_FLAGGED.iter().map(|share| share / 300.0).sum();
        let expected = prevalence.powi(2) + (1.0 - prevalence).powi(2);
        let kappa = (observed - expected) / (1.0 - expected);
        assert!((kappa - REPORTED_KAPPA).abs() < 0.005, "{kappa}");
    }
}
