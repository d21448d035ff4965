//! Rankings against public libraries; `tests/golden/golden.py` prints the numbers.

use specstress_stats::{
    NudgedComparison, Preference, RankingParams, Shrinkage, Ties, Toward, bradley_terry,
};

/// Simulated comparisons of five values: first, second, nudge + 1, outcome (2 is a tie).
const DATA: &str = concat!(
    "30224200021043122110241030221410421002221420101020212410021202120110011004204101",
    "02113111311010201420210114014122021043213120402104021001342023113111300130010100",
    "40222101430210001401402102000302101030210310410114021400201240004312432210110210",
    "30013010300101100300230010102312420113222310100013004322011213000212020012003101",
    "24202102011030213410101003111302042031002112200114002001402114103211031013014020",
    "42110122432140012401121242224022301112011021402012212011340110211000300102223011",
    "42013010301120014000102013103220302202120402311140013021400110111301342103120410",
    "01201412021231104320140103123002032030010310400134114011322131101301410101220400",
);

pub(crate) fn data() -> Vec<NudgedComparison> {
    let digits: Vec<usize> = DATA.bytes().map(|byte| usize::from(byte - b'0')).collect();
    let one = |digits: &[usize]| NudgedComparison {
        first: digits[0],
        second: digits[1],
        toward: [Toward::Second, Toward::Neither, Toward::First][digits[2]],
        preference: Some([Preference::First, Preference::Second, Preference::Tie][digits[3]]),
    };
    digits.chunks_exact(4).map(one).collect()
}

pub(crate) fn ridge(strength: f64) -> RankingParams {
    RankingParams::default().shrinkage(Shrinkage::Ridge { strength })
}

fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() < tolerance, "{found} {wanted}");
}

/// statsmodels 0.15.0, `Logit` on the design matrix without one utility, then centred.
#[test]
fn without_ties_and_shrinkage_it_is_a_logistic_regression() {
    let found = bradley_terry(5, &data(), &ridge(0.0).ties(Ties::Drop)).unwrap();
    assert!(found.converged);
    let wanted = [
        (0.984_057_198_371_451_4, 0.246_490_807_349_725_7),
        (0.172_482_037_309_090_2, 0.241_123_373_074_463_4),
        (-0.129_321_008_085_561_3, 0.306_194_533_037_049_6),
        (-0.464_327_978_251_036_9, 0.264_802_264_263_695_4),
        (-0.562_890_249_343_943_3, 0.270_383_210_271_186_2),
    ];
    for (item, (theta, error)) in found.items.iter().zip(wanted) {
        close(item.theta, theta, 1e-9);
        close(item.standard_error.unwrap(), error, 1e-9);
        close(
            item.elo,
            1500.0 + 400.0 / std::f64::consts::LN_10 * item.theta,
            1e-9,
        );
    }
    let nudge = found.nudge.unwrap();
    close(found.intercept.estimate, 0.326_664_048_343_012_9, 1e-9);
    close(
        found.intercept.standard_error.unwrap(),
        0.220_598_978_347_567_4,
        1e-7,
    );
    close(nudge.estimate, 0.460_212_879_317_360_9, 1e-9);
    close(nudge.standard_error.unwrap(), 0.262_029_143_110_155_4, 1e-9);
    close(found.log_likelihood, -72.185_801_618_027_98, 1e-9);
    assert_eq!((found.n + found.dropped, found.tie), (160, None));
}

/// choix 0.4.1, `ilsr_pairwise` and `opt_pairwise(alpha=0.25)`, which have no intercept: every
/// decided choice goes in from both sides, so that naming a value first can have no advantage.
#[test]
fn without_intercept_it_is_the_plain_model_of_bradley_and_terry() {
    let mut choices = Vec::new();
    for choice in data() {
        let turned = match choice.preference.unwrap() {
            Preference::First => Preference::Second,
            Preference::Second => Preference::First,
            Preference::Tie => continue,
        };
        let choice = NudgedComparison {
            toward: Toward::Neither,
            ..choice
        };
        choices.push(choice);
        choices.push(NudgedComparison {
            first: choice.second,
            second: choice.first,
            preference: Some(turned),
            ..choice
        });
    }
    for (strength, wanted) in [
        (
            0.0,
            [
                0.890_415_912_991_034_8,
                0.202_653_550_048_248_14,
                -0.162_861_384_897_430_85,
                -0.361_672_645_856_945,
                -0.568_535_432_284_907_1,
            ],
        ),
        (
            // Their penalty is alpha |theta|^2, and here the likelihood counts twice.
            1.0,
            [
                0.860_872_423_364_375_7,
                0.192_189_948_601_522_55,
                -0.154_392_527_356_399_72,
                -0.352_673_302_146_778_94,
                -0.545_996_542_462_719_6,
            ],
        ),
    ] {
        let found = bradley_terry(5, &choices, &ridge(strength)).unwrap();
        for (item, theta) in found.items.iter().zip(wanted) {
            close(item.theta, theta, 1e-9);
        }
        close(found.intercept.estimate, 0.0, 1e-9);
    }
}

/// scipy 1.12.0, `optimize.root` on the gradient written out by hand; the standard errors from its
/// numeric derivative.
#[test]
fn ties_are_modelled_as_davidson_does() {
    let found = bradley_terry(5, &data(), &ridge(0.5)).unwrap();
    let wanted = [
        (0.848_957_004_869_282_2, 0.218_735_311_320_68),
        (0.188_843_696_637_250_9, 0.240_180_040_226_318_1),
        (0.017_020_014_774_308_1, 0.285_540_607_035_000_9),
        (-0.421_218_760_521_658_6, 0.246_002_563_037_818_9),
        (-0.633_601_955_759_186_9, 0.261_522_363_038_470_7),
    ];
    for (item, (theta, error)) in found.items.iter().zip(wanted) {
        close(item.theta, theta, 1e-9);
        close(item.standard_error.unwrap(), error, 1e-6);
    }
    close(found.intercept.estimate, 0.168_783_890_036_237_9, 1e-9);
    close(found.nudge.unwrap().estimate, 0.494_722_933_147_400_1, 1e-9);
    close(found.tie.unwrap().estimate, -0.402_177_387_353_522_9, 1e-9);
    close(
        found.tie.unwrap().standard_error.unwrap(),
        0.192_319_488_502_295_9,
        1e-6,
    );
    close(found.log_likelihood, -159.015_973_696_671_5, 1e-9);
    assert_eq!((found.n, found.dropped), (160, 0));
}
