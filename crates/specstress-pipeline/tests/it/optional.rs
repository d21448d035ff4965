//! What a study leaves out when somebody is missing: every table is there, some of them empty.

use specstress_dataset::rows::{
    EmbeddingRow, ExpressedValuesRow, RefusalRow, ScenarioRow, SelectionRow, TopicRow, VerdictRow,
};
use specstress_llm::{Embedding, EmbeddingModel, EmbeddingRequest, LlmError, ModelId, OutcomeKind};
use specstress_pipeline::{PipelineError, RunDir, Study, StudySettings, Subset};
use specstress_values::Taxonomy;

use crate::cast::{Cast, tiny, unit};
use crate::fakes::{FakeEmbedder, FakeModel, says};
use crate::look::{Questions, lines, rows, table_files};

fn ran(cast: &Cast, settings: StudySettings) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cast.run(dir.path(), settings).unwrap();
    dir
}

#[test]
fn without_an_embedder_nothing_is_thinned_out() {
    let mut cast = Cast::tiny();
    cast.embedder = None;
    let settings = StudySettings {
        subsets: vec![Subset {
            name: "two".to_owned(),
            models: vec!["alpha".to_owned(), "beta".to_owned()],
        }],
        ..tiny()
    };
    let dir = ran(&cast, settings);
    let dir = dir.path();
    assert!(rows::<EmbeddingRow>(dir).is_empty());
    let selected = rows::<SelectionRow>(dir);
    let (diversity, two) = selected.split_at(9);
    let ids: Vec<_> = diversity
        .iter()
        .map(|row| row.scenario_id.clone())
        .collect();
    assert_eq!(
        ids,
        lines(dir, |row: &ScenarioRow| row.scenario_id.clone().unwrap())
    );
    // By falling weight, and equal ones by their id.
    let questions = Questions::of(dir);
    let weights: Vec<f64> = two.iter().map(|row| row.weight.unwrap()).collect();
    assert_eq!(weights, [3.0, 2.0, 1.5, 1.5, 1.5]);
    assert_eq!(
        questions.query(&two[0].scenario_id),
        "discipline or thrift? thrift!"
    );
    assert!(two[2..].is_sorted_by_key(|row| &row.scenario_id));
    assert!((0..5).eq(two.iter().map(|row| row.rank)));
    // Labels are there, but no category to map them to.
    for row in rows::<ExpressedValuesRow>(dir) {
        assert_eq!((row.outcome, row.labels.len()), (OutcomeKind::Answered, 2));
        assert!(row.categories.is_empty());
    }
}

#[test]
fn without_a_labeler_and_judges_their_tables_are_empty() {
    let mut cast = Cast::tiny();
    cast.labeler = None;
    cast.judges.clear();
    let dir = ran(&cast, tiny());
    let dir = dir.path();
    assert!(rows::<TopicRow>(dir).is_empty());
    assert!(rows::<RefusalRow>(dir).is_empty());
    assert!(rows::<ExpressedValuesRow>(dir).is_empty());
    assert!(rows::<VerdictRow>(dir).is_empty());
    assert_eq!(table_files(dir).len(), 15);
}

#[test]
fn near_questions_are_thinned_out_before_the_panel_is_asked() {
    let mut cast = Cast::tiny();
    cast.embedder = Some(FakeEmbedder::new(|text| {
        let mut vector = unit(0);
        if let Some(start) = text.strip_prefix("discipline or thrift?") {
            // Two of the three at a distance of about 0.2, the third about 1 away.
            let angle: f32 = if start == " thrift!" {
                1.0
            } else {
                0.1 * start.len().min(2) as f32
            };
            (vector[0], vector[1]) = (angle.cos(), angle.sin());
        } else {
            vector = unit(text.len() % 8 + 4);
        }
        Ok(vector)
    }));
    cast.labeler = None;
    let dir = ran(&cast, tiny());
    let questions = Questions::of(dir.path());
    let kept: Vec<String> = lines(dir.path(), |row: &SelectionRow| {
        format!("{} {}", row.selection, questions.query(&row.scenario_id))
    });
    let near = ["", " discipline!"]
        .map(|end| kept.contains(&format!("diversity discipline or thrift?{end}")));
    assert!(near[0] != near[1], "one of two near ones is kept: {kept:?}");
    assert!(kept.contains(&"diversity discipline or thrift? thrift!".to_owned()));
    let asked = kept
        .iter()
        .filter(|line| line.starts_with("diversity "))
        .count();
    assert_eq!(cast.calls()["alpha"], asked);
    assert!(asked < 9);
}

#[test]
fn hard_questions_near_a_harder_one_are_dropped() {
    let mut cast = Cast::tiny();
    cast.labeler = None;
    // All questions point almost the same way, so one hard question stands for all.
    cast.embedder = Some(FakeEmbedder::new(|text| {
        let angle = text.len() as f32 / 1000.0;
        let mut vector = unit(0);
        (vector[0], vector[1]) = (angle.cos(), angle.sin());
        Ok(vector)
    }));
    let dir = ran(
        &cast,
        StudySettings {
            diversity_radius: None,
            ..tiny()
        },
    );
    let questions = Questions::of(dir.path());
    let mut kept = lines(dir.path(), |row: &SelectionRow| {
        format!("{} {}", row.selection, questions.query(&row.scenario_id))
    });
    kept.retain(|line| !line.starts_with("diversity "));
    assert_eq!(kept, ["all_models discipline or thrift? thrift!"]);
    assert_eq!(cast.calls()["alpha"], 9);
}

#[test]
fn labels_map_to_the_categories_of_a_tree_of_two_levels() {
    let mut cast = Cast::tiny();
    cast.taxonomy = Taxonomy::from_json(
        r#"{"values": [
            {"name": "Care", "children": ["kindness", "patience"]},
            {"name": "Truth", "description": "What is so.", "children": ["honesty", "accuracy"]},
            {"name": "Order", "children": ["discipline", "thrift"]}]}"#,
    )
    .unwrap();
    let dir = ran(&cast, tiny());
    let mapped = rows::<ExpressedValuesRow>(dir.path());
    assert!(mapped.len() == 9 && mapped.iter().all(|row| row.categories == ["Truth", "Care"]));
}

#[test]
fn labels_of_a_plain_list_have_no_category() {
    let mut cast = Cast::tiny();
    cast.taxonomy = Taxonomy::from_json(
        r#"{"values": ["kindness", "patience", "honesty", "accuracy", "discipline", "thrift"]}"#,
    )
    .unwrap();
    let dir = ran(&cast, tiny());
    let mapped = rows::<ExpressedValuesRow>(dir.path());
    assert!(mapped.len() == 9 && mapped.iter().all(|row| row.categories.is_empty()));
    assert!(
        mapped
            .iter()
            .all(|row| row.outcome == OutcomeKind::Answered)
    );
}

/// Breaks the promise of one vector per text.
#[derive(Debug)]
struct Forgetful(ModelId);

#[async_trait::async_trait]
impl EmbeddingModel for Forgetful {
    fn id(&self) -> &ModelId {
        &self.0
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        Ok(vec![unit(0); request.texts.len() - 1])
    }
}

#[test]
fn too_few_vectors_are_given_to_nobody() {
    let mut cast = Cast::tiny();
    cast.labeler = None;
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let mut parts = cast.parts(&run.recorder());
    // Not behind the recorder, which checks as well.
    parts.embedder = Some(std::sync::Arc::new(Forgetful(ModelId::new(
        "fake",
        "forgetful",
    ))));
    let study = Study::new(tiny(), parts).unwrap();
    futures::executor::block_on(study.run(&run, &())).unwrap();
    let lost = rows::<EmbeddingRow>(dir.path());
    assert_eq!(lost.len(), 9);
    for row in lost {
        assert_eq!((row.vector, row.outcome), (None, OutcomeKind::Failed));
        let detail = row.detail.unwrap();
        assert_eq!(detail, "fake/forgetful returned 8 vectors for 9 texts");
    }
}

#[test]
fn categories_that_cannot_be_embedded_stop_the_run() {
    let mut cast = Cast::tiny();
    cast.embedder = Some(FakeEmbedder::new(|text| {
        if text == "Order" {
            return Err(LlmError::new(
                specstress_llm::LlmErrorKind::BadRequest,
                "no order",
            ));
        }
        Ok(unit(text.len() % 12))
    }));
    cast.labeler = Some(FakeModel::new("labeler", |_, _| says("politics")));
    let dir = tempfile::tempdir().unwrap();
    let error = cast.run(dir.path(), tiny()).unwrap_err();
    assert!(matches!(
        error,
        PipelineError::Setting {
            setting: "embedder",
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "setting embedder: cannot embed the categories: no order"
    );
}
