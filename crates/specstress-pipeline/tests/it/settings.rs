//! Settings are refused before anything is asked, with a message that says what is wrong.

use specstress_pipeline::{PipelineError, RunDir, Study, StudySettings, Subset};

use crate::cast::{Cast, author, panel_model, tiny};
use crate::look::files;

fn message(cast: &Cast, settings: StudySettings) -> String {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let before = files(dir.path());
    let error = Study::new(settings, cast.parts(&run.recorder())).unwrap_err();
    assert!(matches!(error, PipelineError::Setting { .. }), "{error:?}");
    assert!(files(dir.path()) == before);
    error.to_string()
}

fn subset(name: &str, models: &[&str]) -> Subset {
    Subset {
        name: name.to_owned(),
        models: models.iter().map(|&model| model.to_owned()).collect(),
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    type Change = fn(&mut StudySettings);
    let cases: [(Change, &str); 18] = [
        (
            |s| s.pairs = 0,
            "setting pairs: 0 pairs give nothing to measure",
        ),
        (|s| s.samples = 0, "setting samples: must be 1 or more"),
        (|s| s.threshold = 0.0, "setting threshold: 0 is not above 0"),
        (
            |s| s.threshold = -1.5,
            "setting threshold: -1.5 is not above 0",
        ),
        (
            |s| s.threshold = f64::NAN,
            "setting threshold: NaN is not above 0",
        ),
        (
            |s| s.weighted_radius = 0.0,
            "setting weighted_radius: 0 is not above 0",
        ),
        (
            |s| s.weighted_radius = f64::INFINITY,
            "setting weighted_radius: inf is not above 0",
        ),
        (
            |s| s.diversity_radius = Some(-0.4),
            "setting diversity_radius: -0.4 is not above 0",
        ),
        (
            |s| s.outlier_gap = 0,
            "setting outlier_gap: 0 is not a difference of positions, 1 to 6",
        ),
        (
            |s| s.outlier_gap = 7,
            "setting outlier_gap: 7 is not a difference of positions, 1 to 6",
        ),
        (
            |s| s.outlier_count = Some(0),
            "setting outlier_count: 0 would make every model an outlier; use 1 or more, or leave it out",
        ),
        (
            |s| s.concurrency = 0,
            "setting concurrency: must be 1 or more",
        ),
        (
            |s| {
                s.subsets = vec![
                    subset("a", &["alpha", "beta"]),
                    subset("a", &["beta", "gamma"]),
                ];
            },
            "setting subsets: a stands twice",
        ),
        (
            |s| s.subsets = vec![subset("diversity", &["alpha", "beta"])],
            "setting subsets: the name diversity is taken by the first selection",
        ),
        (
            |s| s.subsets = vec![subset("lonely", &["alpha"])],
            "setting subsets: lonely needs two models or more to disagree",
        ),
        (
            |s| s.subsets = vec![subset("same", &["alpha", "alpha"])],
            "setting subsets: same names the model alpha twice",
        ),
        (
            |s| s.subsets = vec![subset("typo", &["alpha", "betta"])],
            "setting subsets: typo names the model betta, which is not in the panel (alpha, beta, gamma)",
        ),
        (
            |s| s.judged_subset = Some("nobody".to_owned()),
            "setting judged_subset: nobody is not a subset (all_models)",
        ),
    ];
    let cast = Cast::tiny();
    for (change, expected) in cases {
        let mut settings = tiny();
        change(&mut settings);
        assert_eq!(message(&cast, settings), expected);
    }
    assert!(cast.calls().is_empty());
}

#[test]
fn people_that_cannot_work_together_are_named() {
    let mut lonely = Cast::tiny();
    lonely.panel.truncate(1);
    assert_eq!(
        message(&lonely, tiny()),
        "setting panel: needs two models or more to disagree"
    );
    let mut twice = Cast::tiny();
    twice.panel[2].0 = "alpha".to_owned();
    assert_eq!(
        message(&twice, tiny()),
        "setting panel: the key alpha stands twice"
    );
    let mut nobody = Cast::tiny();
    nobody.authors.clear();
    assert_eq!(
        message(&nobody, tiny()),
        "setting authors: nobody writes the questions"
    );
    let mut judges = Cast::tiny();
    judges.judges.push(("themis".to_owned(), author("another")));
    assert_eq!(
        message(&judges, tiny()),
        "setting judges: the name themis stands twice"
    );
}

#[test]
fn without_subsets_there_is_one_of_the_whole_panel() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let mut cast = Cast::tiny();
    cast.panel
        .push(("delta".to_owned(), panel_model("delta", 0)));
    let study = Study::new(tiny(), cast.parts(&run.recorder())).unwrap();
    assert_eq!(
        study.settings().subsets,
        [subset("all_models", &["alpha", "beta", "gamma", "delta"])]
    );
}

#[test]
fn more_pairs_than_there_are_is_an_error_before_any_call() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::tiny();
    let error = cast
        .run(dir.path(), StudySettings { pairs: 4, ..tiny() })
        .unwrap_err();
    assert!(matches!(error, PipelineError::Values(_)), "{error:?}");
    assert_eq!(error.to_string(), "cannot sample value pairs");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains('4') && cause.contains('3'), "{cause}");
    assert!(cast.calls().is_empty());
}
