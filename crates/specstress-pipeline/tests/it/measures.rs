//! Settings of the measures: samples, standard deviation, threshold, outlier rule.

use std::path::Path;

use specstress_dataset::rows::{DisagreementRow, OutlierRow, PositionRow, VerdictRow};
use specstress_pipeline::{OutlierReading, StdKind, StudySettings};

use crate::cast::{Cast, tiny};
use crate::fakes::{FakeModel, blocked, says};
use crate::look::{Questions, lines, rows};

fn high(dir: &Path) -> Vec<String> {
    let questions = Questions::of(dir);
    rows::<DisagreementRow>(dir)
        .iter()
        .filter(|row| row.high)
        .map(|row| questions.query(&row.scenario_id).to_owned())
        .collect()
}

fn outliers(dir: &Path) -> Vec<String> {
    let questions = Questions::of(dir);
    lines(dir, |row: &OutlierRow| {
        let query = questions.query(&row.scenario_id);
        format!("{query} {} {}", row.model, row.disagrees_with)
    })
}

#[test]
fn the_outlier_rule_follows_its_settings() {
    let dir = tempfile::tempdir().unwrap();
    let run = |settings| {
        Cast::tiny().run(dir.path(), settings).unwrap();
        outliers(dir.path())
    };
    let split = "patience or accuracy? patience!";
    let lone = "discipline or thrift? thrift! beta 2".to_owned();
    let reading = |outliers| StudySettings { outliers, ..tiny() };
    // On the split question alpha stands at 0 4, beta at 4 0 and gamma at 4 4.
    assert_eq!(
        run(reading(OutlierReading::Same)),
        [
            format!("{split} alpha 2"),
            format!("{split} beta 2"),
            lone.clone()
        ]
    );
    // No two are apart on both values there, and beta differs on one only.
    assert_eq!(run(reading(OutlierReading::Both)), [""; 0]);
    let wide = StudySettings {
        outlier_gap: 5,
        ..tiny()
    };
    assert_eq!(run(wide), std::slice::from_ref(&lone));
    let one = StudySettings {
        outlier_count: Some(1),
        outlier_gap: 5,
        ..tiny()
    };
    assert_eq!(
        run(one),
        [
            "kindness or honesty? alpha 1".to_owned(),
            "kindness or honesty? gamma 1".to_owned(),
            "discipline or thrift? thrift! alpha 1".to_owned(),
            lone,
            "discipline or thrift? thrift! gamma 1".to_owned(),
        ]
    );
    assert_eq!(
        run(StudySettings {
            outlier_count: Some(3),
            ..tiny()
        }),
        [""; 0]
    );
}

#[test]
fn the_threshold_is_met_exactly_and_the_deviation_is_the_one_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let run = |threshold: f64, std: StdKind| {
        Cast::tiny()
            .run(
                dir.path(),
                StudySettings {
                    threshold,
                    std,
                    ..tiny()
                },
            )
            .unwrap();
        high(dir.path())
    };
    let population = run(1.5, StdKind::Population);
    assert_eq!(
        population,
        [
            "kindness or honesty?",
            "patience or accuracy? patience!",
            "discipline or thrift? thrift!",
        ]
    );
    // Divided by 2 instead of 3: squares of 3, 9, 16/3 and 12 instead of 2, 6, 32/9 and 8.
    let sample: Vec<f64> = rows_of(dir.path(), || run(3.0, StdKind::Sample));
    let close = |at: usize, square: f64| assert!((sample[at] - square.sqrt()).abs() < 1e-12);
    close(0, 9.0);
    close(2, 3.0);
    close(4, 16.0 / 3.0);
    close(8, 12.0);
    // Exactly 3 reaches 3.
    assert_eq!(
        high(dir.path()),
        ["kindness or honesty?", "discipline or thrift? thrift!"]
    );
    assert_eq!(
        run(3.000_001, StdKind::Sample),
        ["discipline or thrift? thrift!"]
    );
    // A deviation beyond the last bin of judged questions belongs to that bin: it is judged too.
    let questions = Questions::of(dir.path());
    assert!(
        rows::<VerdictRow>(dir.path())
            .iter()
            .any(|row| questions.query(&row.scenario_id) == "discipline or thrift? thrift!")
    );
}

fn rows_of(dir: &Path, run: impl FnOnce() -> Vec<String>) -> Vec<f64> {
    run();
    let found = rows::<DisagreementRow>(dir);
    found.iter().map(|row| row.disagreement.unwrap()).collect()
}

#[test]
fn several_samples_count_by_their_mean() {
    let mut cast = Cast::tiny();
    // Per sample: alpha 0 and 6, beta 2 and blocked, gamma 6 and 3.
    cast.seat(
        "alpha",
        FakeModel::new("alpha", |_, sample| {
            says(if sample == 0 {
                "I stand at 0 1"
            } else {
                "I stand at 6 1"
            })
        }),
    );
    cast.seat(
        "beta",
        FakeModel::new("beta", |_, sample| {
            if sample == 0 {
                says("I stand at 2 1")
            } else {
                blocked("refusal")
            }
        }),
    );
    cast.seat(
        "gamma",
        FakeModel::new("gamma", |_, sample| {
            says(if sample == 0 {
                "I stand at 6 1"
            } else {
                "I stand at 3 1"
            })
        }),
    );
    let dir = tempfile::tempdir().unwrap();
    let settings = StudySettings {
        samples: 2,
        outlier_gap: 2,
        outlier_count: Some(1),
        ..tiny()
    };
    cast.run(dir.path(), settings).unwrap();
    // Means 3, 2 and 4.5: squares of the deviations 1/36, 49/36 and 64/36 sum to 114/36.
    for row in rows::<DisagreementRow>(dir.path()) {
        assert_eq!((row.n, row.missing), (3, 0));
        assert!((row.std_value1.unwrap() - (114.0_f64 / 36.0 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(row.std_value2, Some(0.0));
        assert!(!row.high);
    }
    // Apart by 2 or more: only beta and gamma.
    let flagged = outliers(dir.path());
    assert_eq!(flagged.len(), 18);
    assert_eq!(flagged[0], "kindness or honesty? beta 1");
    assert_eq!(flagged[1], "kindness or honesty? gamma 1");
    // Each sample is placed by its own call, with the answers of that sample only.
    assert_eq!(cast.calls()["classifier"], 18);
    let lost = rows::<PositionRow>(dir.path());
    assert_eq!(
        lost.iter()
            .filter(|row| row.value1_position.is_none())
            .count(),
        9
    );
    assert!(
        lost.iter()
            .all(|row| row.value1_position.is_some() != (row.model == "beta" && row.sample == 1))
    );
}
