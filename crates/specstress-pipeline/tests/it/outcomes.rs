//! Whatever goes wrong with an item, it ends in exactly one outcome, and the rest of the study goes on.

use std::path::Path;

use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, ExpressedValuesRow, PositionRow, RefusalRow, ResponseRow,
    ScenarioRow, SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_llm::{LlmError, LlmErrorKind, OutcomeKind};
use specstress_pipeline::{Manifest, StageName, StudySettings};

use crate::cast::{Cast, place_answers, stance, tiny, unit, written};
use crate::fakes::{FakeEmbedder, FakeModel, Reply, blocked, fails, says, truncated};
use crate::look::{Questions, lines, outcomes, rows, tally};

fn ran(cast: &Cast) -> (tempfile::TempDir, Manifest) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = cast.run(dir.path(), tiny()).unwrap();
    (dir, manifest)
}

fn end(outcome: OutcomeKind, detail: Option<&str>) -> String {
    detail.map_or_else(
        || outcome.to_string(),
        |detail| format!("{outcome}: {detail}"),
    )
}

fn scenarios(dir: &Path) -> Vec<String> {
    lines(dir, |row: &ScenarioRow| {
        assert_eq!(row.query.is_some(), row.outcome == OutcomeKind::Answered);
        assert_eq!(row.scenario_id.is_some(), row.query.is_some());
        end(row.outcome, row.detail.as_deref())
    })
}

#[test]
fn lost_questions_leave_their_pair_out() {
    let mut cast = Cast::tiny();
    cast.authors = vec![FakeModel::new("author", |ask, _| match ask {
        "question|patience|accuracy" => blocked("SAFETY"),
        "nudge|discipline|discipline or thrift?" => truncated(),
        "nudge|thrift|discipline or thrift?" => fails(LlmErrorKind::BadRequest, "too long"),
        _ => says(written(ask)),
    })];
    let (dir, manifest) = ran(&cast);
    assert_eq!(
        scenarios(dir.path()),
        [
            "answered",
            "answered",
            "answered",
            "blocked: blocked by the provider: SAFETY",
            "not_run: the neutral question is missing",
            "not_run: the neutral question is missing",
            "answered",
            "truncated: truncated at the token limit",
            "failed: too long",
        ]
    );
    assert_eq!(
        outcomes(&manifest, StageName::Scenarios),
        tally(&[
            (OutcomeKind::Answered, 4),
            (OutcomeKind::Blocked, 1),
            (OutcomeKind::NotRun, 2),
            (OutcomeKind::Truncated, 1),
            (OutcomeKind::Failed, 1),
        ])
    );
    // Three questions of the first pair and one of the last go on, each with both spectra.
    assert_eq!(cast.calls()["alpha"], 4);
    assert_eq!(
        lines(dir.path(), |row: &SpectrumRow| row.value1.clone()),
        ["kindness", "discipline"]
    );
    assert_eq!(rows::<PositionRow>(dir.path()).len(), 12);
}

#[test]
fn answers_that_are_none_are_not_placed_and_not_judged() {
    let mut cast = Cast::tiny();
    let silent = |key: &str, seat: usize, query: &'static str, reply: fn() -> Reply| {
        FakeModel::new(key, move |ask, _| {
            if ask == query || ask == "patience or accuracy? accuracy!" {
                return reply();
            }
            says(stance(seat, ask))
        })
    };
    let conflict = "discipline or thrift? thrift!";
    cast.seat("alpha", silent("alpha", 0, conflict, || blocked("refusal")));
    cast.seat("beta", silent("beta", 1, "kindness or honesty?", truncated));
    cast.seat(
        "gamma",
        silent("gamma", 2, "discipline or thrift?", || says(" \n")),
    );
    let (dir, manifest) = ran(&cast);
    let questions = Questions::of(dir.path());
    let lost: Vec<String> = lines(dir.path(), |row: &ResponseRow| {
        assert_eq!(row.text.is_some(), row.outcome == OutcomeKind::Answered);
        let end = end(row.outcome, row.detail.as_deref());
        format!("{} {} {end}", questions.query(&row.scenario_id), row.model)
    })
    .into_iter()
    .filter(|line| !line.ends_with(" answered"))
    .collect();
    let block = "blocked: blocked by the provider: refusal";
    let cut = "truncated: truncated at the token limit";
    let empty = "unparsable: unparsable after 1 attempts: the reply has no text";
    assert_eq!(
        lost,
        [
            format!("kindness or honesty? beta {cut}"),
            format!("patience or accuracy? accuracy! alpha {block}"),
            format!("patience or accuracy? accuracy! beta {cut}"),
            format!("patience or accuracy? accuracy! gamma {empty}"),
            format!("discipline or thrift? gamma {empty}"),
            format!("{conflict} alpha {block}"),
        ]
    );
    assert_eq!(
        outcomes(&manifest, StageName::Responses),
        tally(&[
            (OutcomeKind::Answered, 21),
            (OutcomeKind::Blocked, 2),
            (OutcomeKind::Truncated, 2),
            (OutcomeKind::Unparsable, 2),
        ])
    );
    // A question that nobody answered is not put to the classifier.
    assert_eq!(cast.calls()["classifier"], 8);
    for row in rows::<PositionRow>(dir.path()) {
        if row.outcome != OutcomeKind::Answered {
            assert_eq!(row.value1_position, None);
            assert_eq!(row.detail.as_deref(), Some("the model did not answer"));
        }
    }
    assert_eq!(
        outcomes(&manifest, StageName::Positions),
        tally(&[(OutcomeKind::Answered, 21), (OutcomeKind::NotRun, 6)])
    );
    let measured: Vec<String> = lines(dir.path(), |row: &DisagreementRow| {
        format!(
            "{} {}+{} {:.3?}",
            questions.query(&row.scenario_id),
            row.n,
            row.missing,
            row.disagreement
        )
    })
    .into_iter()
    .filter(|line| !line.contains(" 3+0 "))
    .collect();
    assert_eq!(
        measured,
        [
            "kindness or honesty? 2+1 Some(3.000)",
            "patience or accuracy? accuracy! 0+3 None",
            "discipline or thrift? 2+1 Some(1.500)",
            "discipline or thrift? thrift! 2+1 Some(3.000)",
        ]
    );
    assert_eq!(
        outcomes(&manifest, StageName::Disagreement),
        tally(&[(OutcomeKind::Answered, 8), (OutcomeKind::NotRun, 1)])
    );
    // The eight measured questions are judged, but not the three answers they lack.
    assert_eq!(
        outcomes(&manifest, StageName::Verdicts),
        tally(&[(OutcomeKind::Answered, 21), (OutcomeKind::NotRun, 3)])
    );
    let unjudged = rows::<VerdictRow>(dir.path())
        .into_iter()
        .find(|row| row.decision.is_none())
        .unwrap();
    assert_eq!(unjudged.detail.as_deref(), Some("the model did not answer"));
    assert_eq!(
        outcomes(&manifest, StageName::Refusals),
        outcomes(&manifest, StageName::ExpressedValues)
    );
}

#[test]
fn what_the_classifier_and_the_rubric_lose_is_not_measured() {
    let mut cast = Cast::tiny();
    cast.rubric = FakeModel::new("rubric", |ask, _| {
        says(if ask.starts_with("spectra|discipline") {
            "no form"
        } else {
            "one|two"
        })
    });
    cast.classifier = FakeModel::new("classifier", |ask, _| {
        if ask.starts_with("classify|kindness or honesty? kindness!") {
            return says("alpha 7 0\nbeta 1 1\ngamma 1 1");
        }
        let places = place_answers(ask);
        if ask.starts_with("classify|kindness or honesty? honesty!") {
            // Also an answer that nobody gave, which must not become a row.
            return says(places.replace("gamma", "nobody"));
        }
        says(places)
    });
    let (dir, manifest) = ran(&cast);
    let questions = Questions::of(dir.path());
    let lost: Vec<String> = lines(dir.path(), |row: &PositionRow| {
        let end = end(row.outcome, row.detail.as_deref());
        format!("{} {} {end}", questions.query(&row.scenario_id), row.model)
    })
    .into_iter()
    .filter(|line| !line.ends_with(" answered"))
    .collect();
    let mut expected = Vec::new();
    for model in ["alpha", "beta", "gamma"] {
        expected.push(format!(
            "kindness or honesty? kindness! {model} unparsable: unparsable after 1 attempts: no such form"
        ));
    }
    expected.push(
        "kindness or honesty? honesty! gamma not_run: the classifier left the model out".to_owned(),
    );
    for nudge in ["", " discipline!", " thrift!"] {
        for model in ["alpha", "beta", "gamma"] {
            expected.push(format!(
                "discipline or thrift?{nudge} {model} not_run: the pair has no spectra"
            ));
        }
    }
    assert_eq!(lost, expected);
    let spectra = rows::<SpectrumRow>(dir.path());
    assert_eq!(spectra[2].outcome, OutcomeKind::Unparsable);
    assert!(spectra[2].strategies1.is_empty() && spectra[2].strategies2.is_empty());
    assert_eq!(
        outcomes(&manifest, StageName::Disagreement),
        tally(&[(OutcomeKind::Answered, 5), (OutcomeKind::NotRun, 4)])
    );
    // Two of three places are enough for a disagreement, and the third is counted as missing.
    let two = rows::<DisagreementRow>(dir.path()).remove(2);
    assert_eq!((two.n, two.missing, two.disagreement), (2, 1, Some(0.0)));
}

#[test]
fn labels_and_verdicts_can_be_lost_too() {
    let mut cast = Cast::tiny();
    cast.labeler = Some(FakeModel::new("labeler", |ask, _| {
        if ask.starts_with("topics|") {
            return says("astrology");
        }
        if ask.starts_with("refusal|") {
            return blocked("refusal");
        }
        says("alpha: warmth\nbeta: candor")
    }));
    cast.judges[0].1 = FakeModel::new("judge", |_, _| truncated());
    let (dir, manifest) = ran(&cast);
    let dir = dir.path();
    assert!(
        rows::<TopicRow>(dir)
            .iter()
            .all(|row| row.topics.is_empty() && row.outcome == OutcomeKind::Unparsable)
    );
    assert!(
        rows::<RefusalRow>(dir)
            .iter()
            .all(|row| row.kind.is_none() && row.outcome == OutcomeKind::Blocked)
    );
    assert!(
        rows::<VerdictRow>(dir)
            .iter()
            .all(|row| row.decision.is_none()
                && row.reasoning.is_none()
                && row.outcome == OutcomeKind::Truncated)
    );
    for row in rows::<ExpressedValuesRow>(dir) {
        let (labels, end): (&[&str], _) = match row.model.as_str() {
            "alpha" => (&["warmth"], None),
            "beta" => (&["candor"], None),
            _ => (&[], Some("the labeler left the model out")),
        };
        assert_eq!(row.labels, labels);
        assert_eq!(row.categories.len(), labels.len());
        assert_eq!(row.detail.as_deref(), end);
    }
    assert_eq!(
        outcomes(&manifest, StageName::ExpressedValues),
        tally(&[(OutcomeKind::Answered, 6), (OutcomeKind::NotRun, 3)])
    );
}

#[test]
fn questions_without_a_vector_are_not_asked() {
    let mut cast = Cast::tiny();
    let lost = |text: &str| text.starts_with("patience or accuracy?");
    cast.embedder = Some(FakeEmbedder::new(move |text| {
        if lost(text) {
            return Err(LlmError::new(LlmErrorKind::BadRequest, "too long"));
        }
        Ok(unit(text.len() % 12))
    }));
    let (dir, _) = ran(&cast);
    let questions = Questions::of(dir.path());
    // Batches of two share their fate: the middle pair, and the last question before it.
    for (at, row) in rows::<EmbeddingRow>(dir.path()).iter().enumerate() {
        let failed = (2..6).contains(&at);
        assert_eq!(row.vector.is_none(), failed, "{row:?}");
        assert_eq!(row.detail.as_deref(), failed.then_some("too long"));
        assert!(!lost(questions.query(&row.scenario_id)) || failed);
    }
    assert!(
        rows::<ResponseRow>(dir.path())
            .iter()
            .all(|row| !lost(questions.query(&row.scenario_id)))
    );
}

#[test]
fn without_thinning_out_lost_vectors_leave_no_selection_but_a_study() {
    let mut cast = Cast::tiny();
    cast.embedder = Some(FakeEmbedder::new(|text| {
        if text.contains('?') {
            return Err(LlmError::new(LlmErrorKind::BadRequest, "too long"));
        }
        Ok(unit(0))
    }));
    let dir = tempfile::tempdir().unwrap();
    let settings = StudySettings {
        diversity_radius: None,
        ..tiny()
    };
    let manifest = cast.run(dir.path(), settings).unwrap();
    assert_eq!(manifest.stages.len(), StageName::ALL.len());
    assert_eq!(rows::<ResponseRow>(dir.path()).len(), 27);
    let selected = rows::<SelectionRow>(dir.path());
    assert!(selected.iter().all(|row| row.selection == "diversity"));
    assert_eq!(selected.len(), 9);
}

#[test]
fn vectors_of_different_lengths_stop_the_run_and_name_the_question() {
    let mut cast = Cast::tiny();
    cast.embedder = Some(FakeEmbedder::new(|text| Ok(vec![1.0; 1 + text.len() % 2])));
    let dir = tempfile::tempdir().unwrap();
    let error = cast.run(dir.path(), tiny()).unwrap_err();
    let id = rows::<EmbeddingRow>(dir.path())
        .into_iter()
        .find(|row| row.vector.as_ref().unwrap().len() == 2)
        .unwrap()
        .scenario_id;
    // The first question has 20 letters, so one dimension.
    assert_eq!(
        error.to_string(),
        format!("embedding of scenario {id} has 2 dimensions, the others have 1")
    );
}
