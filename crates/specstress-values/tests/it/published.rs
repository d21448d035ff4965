//! The published tree, where a copy of it is at hand.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use specstress_values::{
    FrequencyWeighted, PairSampler, StratifiedByCategory, Taxonomy, UniformPairs,
};

/// `None`, with a note, if the files are not there.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn published() -> Option<Taxonomy> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/values_in_the_wild");
    let (tree, frequencies) = (
        folder.join("values_tree.csv"),
        folder.join("values_frequencies.csv"),
    );
    if !tree.exists() || !frequencies.exists() {
        eprintln!(
            "skipped: the published value files are not at {}",
            folder.display()
        );
        return None;
    }
    Some(Taxonomy::from_csv_path(tree, Some(&frequencies)).expect("the published files are valid"))
}

#[test]
fn counts_and_shares_are_the_published_ones() {
    let Some(taxonomy) = published() else { return };
    let counts: Vec<usize> = (0..4)
        .map(|level| taxonomy.at_level(level).count())
        .collect();
    assert_eq!(counts, [3307, 266, 26, 5]);
    assert_eq!(taxonomy.len(), 3604);
    assert!(
        taxonomy
            .leaves()
            .all(|leaf| leaf.frequency.is_some() && leaf.percent.is_some())
    );

    let helpfulness = taxonomy.leaf("helpfulness").expect("there");
    assert_eq!(helpfulness.frequency, Some(23.359));
    let practical = taxonomy.find("Practical values").expect("there");
    assert_eq!(practical.percent, Some(31.426));
    assert_eq!(practical.level, 3);
    let wisdom = taxonomy.category("inner wisdom").expect("there");
    assert_eq!(wisdom.level, 2);

    // Our categories carry the published names.
    let names = |taxonomy: &Taxonomy| -> BTreeSet<String> {
        taxonomy
            .at_level(2)
            .map(|value| value.name.clone())
            .collect()
    };
    assert_eq!(names(&Taxonomy::builtin()), names(&taxonomy));
    // This name is also a group's; the lowest level wins.
    assert_eq!(
        taxonomy.find("Methodical rigor").map(|value| value.level),
        Some(1)
    );
}

#[test]
fn a_round_trip_keeps_the_tree_and_the_sample() {
    let Some(taxonomy) = published() else { return };
    let again = Taxonomy::from_json(&taxonomy.to_json()).expect("valid");
    assert_eq!(again.len(), taxonomy.len());
    for sampler in [
        &UniformPairs as &dyn PairSampler,
        &StratifiedByCategory::new(),
    ] {
        let (one, other) = (
            sampler.sample(&taxonomy, 2000, 9),
            sampler.sample(&again, 2000, 9),
        );
        assert_eq!(one.expect("enough"), other.expect("enough"));
    }
}

#[test]
fn the_papers_150_000_pairs_are_drawn_quickly() {
    let Some(taxonomy) = published() else { return };
    let samplers: [&dyn PairSampler; 3] = [
        &UniformPairs,
        &StratifiedByCategory::new(),
        &FrequencyWeighted::new(),
    ];
    for sampler in samplers {
        let start = Instant::now();
        let pairs = sampler
            .sample(&taxonomy, 150_000, 1)
            .expect("there are 5.47 million");
        let took = start.elapsed();
        eprintln!("{sampler:?}: {took:?}");
        assert_eq!(pairs.len(), 150_000);
        // Loose: unoptimised, on a busy machine. A quadratic algorithm would take minutes.
        assert!(took < Duration::from_secs(30), "{sampler:?} took {took:?}");
    }
    let error = UniformPairs.sample(&taxonomy, 5_466_472, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "asked for 5466472 pairs, but 3307 leaf values give only 5466471; ask for at most that many"
    );
}
