//! Which questions are judged: a draw per bin that is the same every time and only grows.

use std::collections::BTreeSet;
use std::path::Path;

use specstress_dataset::rows::VerdictRow;
use specstress_pipeline::{StudySettings, Subset};

use crate::cast::{Cast, tiny};
use crate::look::{Questions, rows};

fn judged(dir: &Path, settings: StudySettings) -> BTreeSet<String> {
    let mut cast = Cast::tiny();
    cast.labeler = None;
    cast.run(dir, settings).unwrap();
    let questions = Questions::of(dir);
    rows::<VerdictRow>(dir)
        .iter()
        .map(|row| questions.query(&row.scenario_id).to_owned())
        .collect()
}

/// The questions by the bin of their disagreement.
const BINS: [&[&str]; 5] = [
    &[
        "kindness or honesty? kindness!",
        "patience or accuracy? accuracy!",
        "discipline or thrift? discipline!",
    ],
    &[
        "kindness or honesty? honesty!",
        "patience or accuracy?",
        "discipline or thrift?",
    ],
    &["patience or accuracy? patience!"],
    &["kindness or honesty?"],
    &["discipline or thrift? thrift!"],
];

#[test]
fn a_larger_number_per_bin_only_adds_questions() {
    let dir = tempfile::tempdir().unwrap();
    let some = |judged_per_bin| {
        let settings = StudySettings {
            judged_per_bin,
            ..tiny()
        };
        judged(dir.path(), settings)
    };
    let mut last = BTreeSet::new();
    for (number, per_bin) in [(0, 0), (1, 5), (2, 7), (3, 9), (1000, 9)] {
        let now = some(Some(number));
        assert_eq!(now.len(), per_bin, "{number}");
        assert!(now.is_superset(&last), "{number}");
        for bin in BINS {
            let drawn = bin.iter().filter(|query| now.contains(**query)).count();
            assert_eq!(drawn, bin.len().min(number), "{number} of {bin:?}");
        }
        assert_eq!(some(Some(number)), now, "the same draw again");
        last = now;
    }
    assert_eq!(some(None), last);
}

#[test]
fn the_draw_depends_on_the_seed_and_not_on_other_questions() {
    // One directory: another draw asks the judge only for what no draw before asked.
    let dir = tempfile::tempdir().unwrap();
    let drawn = |seed, pairs| {
        let settings = StudySettings {
            seed,
            pairs,
            judged_per_bin: Some(1),
            ..tiny()
        };
        judged(dir.path(), settings)
    };
    // Over some seeds every question of a bin is drawn by one of them.
    let all: BTreeSet<String> = (0..30).flat_map(|seed| drawn(seed, 3)).collect();
    assert_eq!(all.len(), 9);
    for seed in 0..4 {
        // A question of the first two pairs that wins against all others also wins against fewer.
        let (few, many) = (drawn(seed, 2), drawn(seed, 3));
        for query in many.iter().filter(|query| !query.starts_with("discipline")) {
            assert!(few.contains(query), "{seed}: {query}");
        }
    }
}

#[test]
fn only_the_judged_subset_is_judged_and_makes_the_bins() {
    let dir = tempfile::tempdir().unwrap();
    let subset = |name: &str, models: &[&str]| Subset {
        name: name.to_owned(),
        models: models.iter().map(|&model| model.to_owned()).collect(),
    };
    let settings = StudySettings {
        subsets: vec![
            subset("all", &["alpha", "beta", "gamma"]),
            subset("two", &["alpha", "beta"]),
        ],
        judged_subset: Some("two".to_owned()),
        judged_per_bin: Some(1),
        ..tiny()
    };
    let queries = judged(dir.path(), settings);
    // Deviations of the two: four of 0, three of 1.5, one of 2 and one of 3. The second bin is empty.
    assert_eq!(queries.len(), 4);
    assert!(queries.contains("patience or accuracy? patience!"));
    assert!(queries.contains("discipline or thrift? thrift!"));
    let models: BTreeSet<String> = rows::<VerdictRow>(dir.path())
        .into_iter()
        .map(|row| row.model)
        .collect();
    assert_eq!(models, ["alpha", "beta"].map(ToOwned::to_owned).into());
}
