//! What every sampler promises, and what each adds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use specstress_values::{
    ExplicitPairs, FrequencyWeighted, MissingFrequency, PairSampler, StratifiedByCategory,
    Taxonomy, UniformPairs, ValuePair,
};

/// Groups `A`, `B`, … with these numbers of leaves; the leaf `A0` has frequency 1, the next 2, and so on.
fn tree(sizes: &[usize]) -> Taxonomy {
    let mut frequency = 0;
    let groups: Vec<String> = sizes
        .iter()
        .zip('A'..)
        .map(|(size, name)| {
            let leaves: Vec<String> = (0..*size)
                .map(|leaf| {
                    frequency += 1;
                    format!(r#"{{"name": "{name}{leaf}", "frequency": {frequency}}}"#)
                })
                .collect();
            format!(
                r#"{{"name": "{name}", "children": [{}]}}"#,
                leaves.join(", ")
            )
        })
        .collect();
    Taxonomy::from_json(&format!(r#"{{"values": [{}]}}"#, groups.join(", "))).expect("valid")
}

fn unordered(pair: &ValuePair) -> (String, String) {
    let (one, other) = (pair.value1.clone(), pair.value2.clone());
    if one < other {
        (one, other)
    } else {
        (other, one)
    }
}

fn shown(pairs: &[ValuePair]) -> Vec<String> {
    pairs.iter().map(ToString::to_string).collect()
}

/// The three random samplers.
fn random_samplers() -> [Box<dyn PairSampler>; 3] {
    [
        Box::new(UniformPairs),
        Box::new(StratifiedByCategory::new()),
        Box::new(FrequencyWeighted::new()),
    ]
}

fn all_pairs(sizes: &[usize]) -> usize {
    let leaves: usize = sizes.iter().sum();
    leaves * (leaves - 1) / 2
}

proptest! {
    #[test]
    fn pairs_differ_as_unordered_pairs_and_grow_with_the_count(
        sizes in prop::collection::vec(1_usize..6, 1..6),
        seed: u64,
        part in 0_usize..=100,
    ) {
        let taxonomy = tree(&sizes);
        let available = all_pairs(&sizes);
        let count = available * part / 100;
        for sampler in random_samplers() {
            let every = sampler.sample(&taxonomy, available, seed).expect("all there are");
            let different: BTreeSet<_> = every.iter().map(unordered).collect();
            prop_assert_eq!(different.len(), available);
            for pair in &every {
                prop_assert!(pair.value1 != pair.value2);
                prop_assert!(taxonomy.leaf(&pair.value1).is_some() && taxonomy.leaf(&pair.value2).is_some());
            }
            let some = sampler.sample(&taxonomy, count, seed).expect("fewer");
            prop_assert_eq!(&some[..], &every[..count]);

            let error = sampler.sample(&taxonomy, available + 1, seed).unwrap_err().to_string();
            let expected = format!("give only {available}; ask for at most that many");
            prop_assert!(error.ends_with(&expected), "{error}");
        }
    }

    #[test]
    fn strata_differ_by_at_most_one_unless_exhausted(
        sizes in prop::collection::vec(1_usize..6, 1..6),
        seed: u64,
    ) {
        let taxonomy = tree(&sizes);
        let pairs = StratifiedByCategory::new().sample(&taxonomy, all_pairs(&sizes), seed).expect("all");
        let mut capacity: BTreeMap<(String, String), usize> = BTreeMap::new();
        let stratum = |pair: &ValuePair| {
            let (one, other) = unordered(pair);
            (one[..1].to_owned(), other[..1].to_owned())
        };
        // Brute force: count the pairs of every two leaves.
        let leaves: Vec<&str> = taxonomy.leaves().map(|leaf| leaf.name.as_str()).collect();
        for (at, one) in leaves.iter().enumerate() {
            for other in &leaves[at + 1..] {
                *capacity.entry(stratum(&ValuePair::new(*one, *other))).or_default() += 1;
            }
        }
        let mut taken: BTreeMap<(String, String), usize> =
            capacity.keys().map(|key| (key.clone(), 0)).collect();
        for pair in &pairs {
            *taken.get_mut(&stratum(pair)).expect("a known stratum") += 1;
            let most = *taken.values().max().expect("at least one");
            for (key, count) in &taken {
                prop_assert!(count + 1 >= most || *count == capacity[key], "{key:?} has {count} of {most}");
            }
        }
        prop_assert_eq!(taken, capacity);
    }
}

#[test]
fn row_order_changes_no_sample() {
    let one = r#"{"values": [{"name": "A", "children": ["a", "b"]}, {"name": "B", "children": ["c", "d", "e"]}]}"#;
    let other = r#"{"values": [{"name": "B", "children": ["e", "c", "d"]}, {"name": "A", "children": ["b", "a"]}]}"#;
    let (one, other) = (
        Taxonomy::from_json(one).expect("valid"),
        Taxonomy::from_json(other).expect("valid"),
    );
    let weighted = FrequencyWeighted::new().missing(MissingFrequency::Weight(2.0));
    let samplers: [&dyn PairSampler; 3] = [&UniformPairs, &StratifiedByCategory::new(), &weighted];
    for sampler in samplers {
        let first = sampler.sample(&one, 10, 4).expect("ten pairs");
        assert_eq!(
            sampler.sample(&other, 10, 4).expect("ten pairs"),
            first,
            "{sampler:?}"
        );
        assert_ne!(
            sampler.sample(&one, 10, 5).expect("ten pairs"),
            first,
            "{sampler:?}"
        );
    }
}

/// Chi-squared of counts against expected counts, which must all be positive.
fn chi_squared(cells: impl Iterator<Item = (f64, f64)>) -> f64 {
    cells
        .map(|(count, mean)| (count - mean).powi(2) / mean)
        .sum()
}

#[test]
fn uniform_pairs_and_their_orders_are_equally_likely() {
    let taxonomy = tree(&[3, 3]);
    let mut counts: BTreeMap<(String, String), f64> = BTreeMap::new();
    for seed in 0..6000 {
        for pair in UniformPairs
            .sample(&taxonomy, 5, seed)
            .expect("fifteen pairs")
        {
            *counts.entry((pair.value1, pair.value2)).or_default() += 1.0;
        }
    }
    assert_eq!(counts.len(), 30, "fifteen pairs in two orders");
    let statistic = chi_squared(counts.values().map(|&count| (count, 1000.0)));
    // 29 degrees of freedom: above 58.3 once in a thousand, below 10.2 likewise. Drawing without replacement and in
    // one order only makes it a little smaller than that.
    assert!((8.0..58.3).contains(&statistic), "{statistic}");
}

#[test]
fn the_first_weighted_pair_has_the_product_probability() {
    // Frequencies 1 to 5.
    let taxonomy = tree(&[3, 2]);
    let runs = 20_000;
    let mut counts: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut in_order = 0.0;
    for seed in 0..runs {
        let pairs = FrequencyWeighted::new()
            .sample(&taxonomy, 1, seed)
            .expect("ten pairs");
        in_order += f64::from(u8::from(pairs[0].value1 < pairs[0].value2));
        *counts.entry(unordered(&pairs[0])).or_default() += 1.0;
    }
    // Σ over pairs of products of 1..5: (15² − 55) / 2.
    let total = 85.0;
    let weight = |name: &str| {
        taxonomy
            .leaf(name)
            .and_then(|leaf| leaf.frequency)
            .expect("given")
    };
    assert_eq!(counts.len(), 10);
    let statistic =
        chi_squared(counts.iter().map(|((one, other), &count)| {
            (count, runs as f64 * weight(one) * weight(other) / total)
        }));
    // 9 degrees of freedom: above 27.9 once in a thousand.
    assert!(statistic < 27.9, "{statistic}");
    // 10,000 expected, standard deviation 71.
    assert!((9_700.0..10_300.0).contains(&in_order), "{in_order}");
}

#[test]
fn leaves_without_weight_are_left_out_or_refused() {
    let text = r#"{"values": [{"name": "a", "frequency": 1}, {"name": "b", "frequency": 2},
        {"name": "never", "frequency": 0}, "unknown"]}"#;
    let taxonomy = Taxonomy::from_json(text).expect("valid");
    let error = FrequencyWeighted::new()
        .sample(&taxonomy, 1, 0)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 of 4 leaf values have no frequency, the first is \"unknown\"; load the frequencies too, \
        or choose what such values weigh"
    );
    let excluding = FrequencyWeighted::new().missing(MissingFrequency::Exclude);
    let pairs = excluding.sample(&taxonomy, 1, 0).expect("one pair");
    assert_eq!(unordered(&pairs[0]), ("a".to_owned(), "b".to_owned()));
    assert_eq!(
        excluding.sample(&taxonomy, 2, 0).unwrap_err().to_string(),
        "asked for 2 pairs, but 2 leaf values of positive weight give only 1; ask for at most that many"
    );
    let weighing = |weight| FrequencyWeighted::new().missing(MissingFrequency::Weight(weight));
    assert_eq!(
        weighing(1.5)
            .sample(&taxonomy, 3, 0)
            .expect("three pairs")
            .len(),
        3
    );
    for bad in [f64::NAN, -1.0, 101.0] {
        assert_eq!(
            weighing(bad)
                .sample(&taxonomy, 1, 0)
                .unwrap_err()
                .to_string(),
            format!(
                "the weight {bad} for values without a frequency is not a number from 0 to 100"
            )
        );
    }
}

#[test]
fn strata_need_groups() {
    let message = |taxonomy: &Taxonomy, sampler: StratifiedByCategory| {
        sampler.sample(taxonomy, 1, 0).unwrap_err().to_string()
    };
    let list = Taxonomy::from_json(r#"{"values": ["a", "b"]}"#).expect("valid");
    let expected = "no groups at level 1 to stratify by; the tree's highest level is 0, and groups start at level 1";
    assert_eq!(message(&list, StratifiedByCategory::new()), expected);
    let taxonomy = tree(&[2, 2]);
    for level in [0, 2] {
        let error = message(&taxonomy, StratifiedByCategory::new().at_level(level));
        assert!(
            error.starts_with(&format!("no groups at level {level} ")),
            "{error}"
        );
    }
}

#[test]
fn too_few_leaves_give_no_pairs() {
    let single = tree(&[1]);
    for sampler in random_samplers() {
        assert!(
            sampler
                .sample(&single, 0, 0)
                .expect("nothing asked")
                .is_empty()
        );
        let error = sampler.sample(&single, 1, 0).unwrap_err().to_string();
        assert!(error.contains("give only 0;"), "{error}");
        assert!(sampler.sample(&single, usize::MAX, 0).is_err());
    }
}

#[test]
fn listed_pairs_are_checked_as_a_whole_and_taken_in_order() {
    let taxonomy = tree(&[2, 2]);
    let list = ExplicitPairs::new([ValuePair::new("B0", "A0"), ValuePair::new("A1", "A0")]);
    assert_eq!(
        shown(&list.sample(&taxonomy, 1, 9).expect("valid")),
        ["B0 / A0"]
    );
    assert_eq!(
        shown(&list.sample(&taxonomy, 2, 0).expect("valid")),
        ["B0 / A0", "A1 / A0"]
    );
    assert_eq!(
        list.sample(&taxonomy, 3, 0).unwrap_err().to_string(),
        "asked for 3 pairs, but the listed pairs give only 2; ask for at most that many"
    );
    let message = |value1: &str, value2: &str| {
        let pairs = [ValuePair::new("A0", "B0"), ValuePair::new(value1, value2)];
        ExplicitPairs::new(pairs)
            .sample(&taxonomy, 1, 0)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message("A0", "a1"),
        r#"pair 2: no value is called "a1"; did you mean "A1"?"#
    );
    assert_eq!(
        message("courage", "A1"),
        r#"pair 2: no value is called "courage"; check the spelling"#
    );
    assert_eq!(
        message("A0", "B"),
        r#"pair 2: "B" is a group at level 1, not a leaf value; name a value below it, such as "B0""#
    );
    assert_eq!(
        message("A1", "A1"),
        r#"pair 2: "A1" stands on both sides; a pair needs two different values"#
    );
    assert_eq!(
        message("B0", "A0"),
        r#"pair 2: "B0" and "A0" are pair 1 already; the order does not make a new pair: remove one"#
    );
}

/// A seed means the same pairs in every version and on every machine. If this fails, past studies cannot be resumed.
#[test]
fn seeds_are_stable() {
    let taxonomy = Taxonomy::builtin();
    let four =
        |sampler: &dyn PairSampler| shown(&sampler.sample(&taxonomy, 4, 2025).expect("enough"));
    assert_eq!(
        four(&UniformPairs),
        [
            "restitution / hearing people out",
            "freedom from surveillance / patient teaching",
            "standing alone if need be / keeping delivery dates",
            "doing one thing at a time / stepwise reasoning",
        ]
    );
    assert_eq!(
        four(&StratifiedByCategory::new()),
        [
            "recognition by peers / robustness under stress",
            "restful sleep / defence against intrusion",
            "free press / spotting fallacies",
            "continuity of service / asking before acting",
        ]
    );
    let all = FrequencyWeighted::new()
        .sample(&tree(&[4, 4]), 28, 2025)
        .expect("all pairs");
    // The first come from the leaves, the last from a list of what was left.
    assert_eq!(
        shown(&all[..4]),
        ["B3 / B1", "A3 / B1", "B3 / A3", "B3 / B0"]
    );
    assert_eq!(
        shown(&all[24..]),
        ["A2 / A0", "A3 / A0", "B1 / A0", "A1 / A0"]
    );
}
