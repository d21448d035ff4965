//! What a run would ask, and why, without asking.

use std::path::Path;

use futures::executor::block_on;
use specstress_pipeline::{
    CallPolicy, RunDir, RunOptions, StageName, StageState, StageSurvey, Study, StudySettings,
    Survey,
};

use crate::cast::{Cast, count, panel_model, tiny};
use crate::look::table_files;

fn complete() -> Cast {
    Cast {
        inputs_complete: true,
        ..Cast::tiny()
    }
}

fn survey(dir: &Path, cast: &Cast, settings: StudySettings) -> Survey {
    survey_of(dir, cast, settings, |study| study)
}

fn survey_of(
    dir: &Path,
    cast: &Cast,
    settings: StudySettings,
    change: impl FnOnce(Study) -> Study,
) -> Survey {
    let options = RunOptions {
        policy: CallPolicy::Count,
        ..RunOptions::default()
    };
    let run = RunDir::open_with(dir, options).unwrap();
    let study = Study::new(settings, cast.parts(&run.recorder())).unwrap();
    let survey = block_on(change(study).survey(&run)).unwrap();
    assert_eq!(cast.calls(), count(&[]), "a survey asked somebody");
    survey
}

fn of(survey: &Survey, stage: StageName) -> &StageSurvey {
    survey.stages.iter().find(|s| s.stage == stage).unwrap()
}

#[test]
fn a_finished_study_is_left_as_it_is_and_not_even_read() {
    let dir = tempfile::tempdir().unwrap();
    complete().run(dir.path(), tiny()).unwrap();
    let before = table_files(dir.path());
    let survey = survey(dir.path(), &complete(), tiny());
    for stage in &survey.stages {
        assert_eq!(stage.state, StageState::Kept, "{}", stage.stage);
        assert!(stage.found.is_empty() && stage.missing.is_empty() && stage.changes.is_empty());
    }
    let again = complete();
    again.run(dir.path(), tiny()).unwrap();
    assert_eq!(again.calls(), count(&[]));
    assert!(table_files(dir.path()) == before);

    // A table that was tampered with is made again.
    std::fs::remove_dir_all(dir.path().join("tables/verdicts")).unwrap();
    complete().run(dir.path(), tiny()).unwrap();
    assert!(table_files(dir.path()) == before);
    // So is everything when it is asked for.
    let survey = survey_of(dir.path(), &complete(), tiny(), Study::read_again);
    for stage in &survey.stages {
        assert_eq!(stage.state, StageState::Stored, "{}", stage.stage);
    }
    let found: u64 = survey
        .stages
        .iter()
        .flat_map(|stage| stage.found.values())
        .sum();
    let made: usize = Cast::tiny_calls().values().sum();
    assert!(found >= made as u64, "{found} {made}");
}

#[test]
fn before_a_run_the_first_calls_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let survey = survey(dir.path(), &complete(), tiny());
    assert_eq!(of(&survey, StageName::Pairs).state, StageState::Stored);
    let scenarios = of(&survey, StageName::Scenarios);
    assert_eq!(
        (scenarios.state, scenarios.calls()),
        (StageState::Incomplete, 3)
    );
    assert_eq!(of(&survey, StageName::Verdicts).state, StageState::Later);
    assert!(!dir.path().join("tables").exists());
    assert!(!dir.path().join("manifest.json").exists());
}

#[test]
fn another_spec_is_only_judged_again_and_another_model_only_where_it_matters() {
    let dir = tempfile::tempdir().unwrap();
    complete().run(dir.path(), tiny()).unwrap();
    let files = table_files(dir.path());
    let mut cast = complete();
    cast.spec = "be better".to_owned();
    let found = survey(dir.path(), &cast, tiny());
    for stage in &found.stages {
        if stage.stage == StageName::Verdicts {
            assert_eq!((stage.state, stage.calls()), (StageState::Incomplete, 18));
            assert_eq!(stage.changes[0].what, "spec");
        } else {
            assert_eq!(stage.state, StageState::Kept, "{}", stage.stage);
        }
    }

    let mut cast = complete();
    cast.seat("gamma", panel_model("gamma 2", 2));
    let found = survey(dir.path(), &cast, tiny());
    let responses = of(&found, StageName::Responses);
    assert_eq!(
        (responses.state, responses.calls()),
        (StageState::Incomplete, 9)
    );
    assert_eq!(responses.missing[0].model, "fake/gamma 2");
    for stage in [StageName::Scenarios, StageName::Spectra] {
        assert_eq!(of(&found, stage).state, StageState::Kept, "{stage}");
    }
    for stage in [
        StageName::Positions,
        StageName::Verdicts,
        StageName::Refusals,
    ] {
        assert_eq!(of(&found, stage).state, StageState::Later, "{stage}");
    }

    // One question of a changed spec.
    let mut cast = complete();
    cast.spec = "be better".to_owned();
    let id = crate::look::rows::<specstress_dataset::rows::VerdictRow>(dir.path())[0]
        .scenario_id
        .clone();
    let found = survey_of(dir.path(), &cast, tiny(), |study| study.only(&id));
    assert_eq!(of(&found, StageName::Verdicts).calls(), 3);
    assert!(
        table_files(dir.path()) == files,
        "a survey touched the tables"
    );
}

#[test]
fn stored_replies_can_be_read_again_without_asking() {
    let dir = tempfile::tempdir().unwrap();
    complete().run(dir.path(), tiny()).unwrap();
    let before = table_files(dir.path());
    let mut cast = complete();
    cast.seat("gamma", panel_model("gamma 2", 2));
    let options = || RunOptions {
        policy: CallPolicy::StoredOnly,
        ..RunOptions::default()
    };
    {
        let run = RunDir::open_with(dir.path(), options()).unwrap();
        cast.run_in(&run, tiny()).unwrap();
        assert!(run.left_out() >= 9);
    }
    assert_eq!(cast.calls(), count(&[]));
    assert!(table_files(dir.path()) != before);
    // Nothing of that is taken for done.
    complete().run(dir.path(), tiny()).unwrap();
    assert!(table_files(dir.path()) == before);
}
