//! A study small enough to work out by hand: three pairs, nine questions, three models.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::executor::block_on;
use specstress_llm::{CallSettings, ChatModel as _, Recorder};
use specstress_pipeline::{
    Author, Manifest, PanelModel, PipelineError, RunDir, Study, StudyParts, StudySettings,
};
use specstress_values::{ExplicitPairs, Taxonomy, ValuePair};

use crate::fakes::{FakeEmbedder, FakeModel, Person, says};

/// Everyone of a study, before a run gives them its recorder.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) authors: Vec<Arc<FakeModel>>,
    pub(crate) panel: Vec<(String, Arc<FakeModel>)>,
    pub(crate) rubric: Arc<FakeModel>,
    pub(crate) classifier: Arc<FakeModel>,
    pub(crate) labeler: Option<Arc<FakeModel>>,
    pub(crate) judges: Vec<(String, Arc<FakeModel>)>,
    pub(crate) spec: String,
    pub(crate) embedder: Option<Arc<FakeEmbedder>>,
    pub(crate) pairs: Vec<ValuePair>,
    pub(crate) taxonomy: Taxonomy,
    /// Whether unchanged stages may be left as they are.
    pub(crate) inputs_complete: bool,
}

pub(crate) const PAIRS: [(&str, &str); 3] = [
    ("kindness", "honesty"),
    ("patience", "accuracy"),
    ("discipline", "thrift"),
];

/// The nine questions in table order, and where alpha, beta and gamma stand on both values.
pub(crate) const STANCES: [(&str, [(u8, u8); 3]); 9] = [
    ("kindness or honesty?", [(0, 6), (3, 3), (6, 0)]),
    ("kindness or honesty? kindness!", [(6, 0), (6, 0), (6, 0)]),
    ("kindness or honesty? honesty!", [(2, 2), (2, 2), (2, 5)]),
    ("patience or accuracy?", [(1, 0), (1, 3), (4, 3)]),
    ("patience or accuracy? patience!", [(0, 4), (4, 0), (4, 4)]),
    ("patience or accuracy? accuracy!", [(3, 3), (3, 3), (3, 3)]),
    ("discipline or thrift?", [(1, 3), (4, 3), (4, 3)]),
    (
        "discipline or thrift? discipline!",
        [(5, 1), (5, 1), (5, 1)],
    ),
    ("discipline or thrift? thrift!", [(0, 0), (6, 0), (0, 0)]),
];

const TAXONOMY: &str = r#"{"values": [
    {"name": "Care", "children": [{"name": "caring", "children": ["kindness", "patience"]}]},
    {"name": "Truth", "description": "What is so.",
     "children": [{"name": "truthful", "children": ["honesty", "accuracy"]}]},
    {"name": "Order", "children": [{"name": "orderly", "children": ["discipline", "thrift"]}]}
]}"#;

/// The texts an embedder knows besides the questions, and the axis each lies on.
const AXES: [(&str, usize); 5] = [
    ("Care", 9),
    ("Truth: What is so.", 10),
    ("Order", 11),
    ("warmth", 9),
    ("candor", 10),
];

/// What the model of a seat says to a question; unknown questions get the middle.
pub(crate) fn stance(seat: usize, query: &str) -> String {
    let (p1, p2) = STANCES
        .iter()
        .find(|(known, _)| *known == query)
        .map_or((3, 3), |(_, stances)| stances[seat]);
    format!("I stand at {p1} {p2}")
}

/// A model of the panel that stands where the table says.
pub(crate) fn panel_model(key: &str, seat: usize) -> Arc<FakeModel> {
    FakeModel::new(key, move |query, _| says(stance(seat, query)))
}

/// Writes `a or b?` and leans it with `a or b? a!`.
pub(crate) fn written(ask: &str) -> String {
    let parts: Vec<&str> = ask.split('|').collect();
    match parts[..] {
        ["question", value1, value2] => format!("{value1} or {value2}?"),
        ["nudge", value, neutral] => format!("{neutral} {value}!"),
        _ => panic!("{ask}"),
    }
}

pub(crate) fn author(name: &str) -> Arc<FakeModel> {
    FakeModel::new(name, |ask, _| says(written(ask)))
}

/// Reads the places out of the answers.
pub(crate) fn place_answers(ask: &str) -> String {
    let places = ask.lines().skip(1).map(|line| {
        let (model, answer) = line.split_once(": ").unwrap();
        format!("{model} {}", answer.trim_start_matches("I stand at "))
    });
    places.collect::<Vec<_>>().join("\n")
}

/// Serving the first value to the extreme violates the spec; the middle can be read both ways.
fn verdict(ask: &str) -> &'static str {
    let answer = ask.rsplit('|').next().unwrap();
    match answer.trim_start_matches("I stand at ").split(' ').next() {
        Some("6") => "non-compliant",
        Some("3") => "ambiguous",
        _ => "compliant",
    }
}

fn label(ask: &str) -> String {
    if ask.starts_with("topics|") {
        return "politics,mental illness".to_owned();
    }
    if ask.starts_with("refusal|") {
        return "Full Compliance".to_owned();
    }
    let models = ask
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap());
    models
        .map(|model| format!("{model}: candor, warmth"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn axis(text: &str) -> Vec<f32> {
    let known = STANCES.iter().position(|(query, _)| *query == text);
    let at = known
        .or_else(|| AXES.iter().find(|(name, _)| *name == text).map(|a| a.1))
        .unwrap_or_else(|| panic!("nobody said where {text:?} lies"));
    unit(at)
}

/// A unit vector along an axis.
pub(crate) fn unit(at: usize) -> Vec<f32> {
    let mut vector = vec![0.0; 12];
    vector[at] = 1.0;
    vector
}

impl Cast {
    pub(crate) fn tiny() -> Self {
        Self {
            authors: vec![author("author")],
            panel: ["alpha", "beta", "gamma"]
                .iter()
                .enumerate()
                .map(|(seat, key)| ((*key).to_owned(), panel_model(key, seat)))
                .collect(),
            rubric: FakeModel::new("rubric", |_, _| says("first|second")),
            classifier: FakeModel::new("classifier", |ask, _| says(place_answers(ask))),
            labeler: Some(FakeModel::new("labeler", |ask, _| says(label(ask)))),
            judges: vec![(
                "themis".to_owned(),
                FakeModel::new("judge", |ask, _| says(verdict(ask))),
            )],
            spec: "be good".to_owned(),
            embedder: Some(FakeEmbedder::new(|text| Ok(axis(text)))),
            pairs: PAIRS.map(|(a, b)| ValuePair::new(a, b)).to_vec(),
            taxonomy: Taxonomy::from_json(TAXONOMY).unwrap(),
            inputs_complete: false,
        }
    }

    /// Replaces a model of the panel.
    pub(crate) fn seat(&mut self, key: &str, model: Arc<FakeModel>) {
        let seat = self.panel.iter_mut().find(|(k, _)| k == key).unwrap();
        seat.1 = model;
    }

    pub(crate) fn parts(&self, recorder: &Recorder) -> StudyParts {
        let person = |name: &str, model: &Arc<FakeModel>| {
            Arc::new(Person {
                name: name.to_owned(),
                spec: self.spec.clone(),
                model: recorder.wrap(Arc::clone(model)),
            })
        };
        let named = |at: usize| format!("author {at}");
        StudyParts {
            taxonomy: Arc::new(self.taxonomy.clone()),
            sampler: Arc::new(ExplicitPairs::new(self.pairs.clone())),
            authors: (self.authors.iter().enumerate())
                .map(|(at, model)| {
                    let author = person(&named(at), model);
                    Author {
                        generator: author.clone(),
                        nudger: author,
                    }
                })
                .collect(),
            panel: (self.panel.iter())
                .map(|(key, model)| PanelModel {
                    key: key.clone(),
                    provider: "fake".to_owned(),
                    name: key.to_uppercase(),
                    model: Arc::new(recorder.wrap(Arc::clone(model))),
                    settings: CallSettings::default(),
                })
                .collect(),
            embedder: (self.embedder.as_ref())
                .map(|model| Arc::new(recorder.wrap(Arc::clone(model))) as _),
            spectra: person("rubric", &self.rubric),
            classifier: person("classifier", &self.classifier),
            labeler: (self.labeler.as_ref()).map(|model| person("labeler", model) as _),
            judges: (self.judges.iter())
                .map(|(name, model)| person(name, model) as _)
                .collect(),
            spec: None,
            inputs: self.inputs(),
            inputs_complete: self.inputs_complete,
            simulated: false,
        }
    }

    /// What the tests change.
    fn inputs(&self) -> BTreeMap<String, String> {
        let mut inputs = BTreeMap::from([
            ("spec".to_owned(), self.spec.clone()),
            ("model/rubric".to_owned(), "fake/rubric".to_owned()),
            ("model/classifier".to_owned(), "fake/classifier".to_owned()),
            ("model/labeler".to_owned(), "fake/labeler".to_owned()),
            ("model/embedder".to_owned(), "fake/embedder".to_owned()),
        ]);
        for (at, model) in self.authors.iter().enumerate() {
            inputs.insert(format!("model/author/author {at}"), model.id().to_string());
        }
        for (name, model) in &self.judges {
            inputs.insert(format!("model/judge/{name}"), model.id().to_string());
        }
        for (key, model) in &self.panel {
            inputs.insert(format!("panel/{key}"), model.id().to_string());
        }
        inputs
    }

    /// Every chat model.
    pub(crate) fn models(&self) -> Vec<Arc<FakeModel>> {
        [&self.rubric, &self.classifier]
            .into_iter()
            .chain(&self.authors)
            .chain(self.panel.iter().map(|(_, model)| model))
            .chain(&self.labeler)
            .chain(self.judges.iter().map(|(_, model)| model))
            .cloned()
            .collect()
    }

    /// The calls of the tiny study, by role.
    pub(crate) fn tiny_calls() -> BTreeMap<String, usize> {
        let dir = tempfile::tempdir().unwrap();
        let cast = Self::tiny();
        cast.run(dir.path(), tiny()).unwrap();
        cast.calls()
    }

    /// Calls that reached the models, by role; roles without one are left out.
    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        let texts = self.embedder.iter().map(|e| ("embedder", e.texts()));
        let models = [("rubric", &self.rubric), ("classifier", &self.classifier)]
            .into_iter()
            .chain(self.authors.iter().map(|model| ("author", model)))
            .chain(self.panel.iter().map(|(key, model)| (key.as_str(), model)))
            .chain(self.labeler.iter().map(|model| ("labeler", model)))
            .chain(
                self.judges
                    .iter()
                    .map(|(name, model)| (name.as_str(), model)),
            )
            .map(|(role, model)| (role, model.calls()));
        let mut calls = BTreeMap::new();
        for (role, count) in texts.chain(models).filter(|(_, count)| *count > 0) {
            *calls.entry(role.to_owned()).or_default() += count;
        }
        calls
    }

    pub(crate) fn run(
        &self,
        dir: &Path,
        settings: StudySettings,
    ) -> Result<Manifest, PipelineError> {
        self.run_in(&RunDir::open(dir)?, settings)
    }

    pub(crate) fn run_in(
        &self,
        run: &RunDir,
        settings: StudySettings,
    ) -> Result<Manifest, PipelineError> {
        let study = Study::new(settings, self.parts(&run.recorder()))?;
        block_on(study.run(run, &()))
    }
}

/// Settings of the tiny study; everything else is the default.
pub(crate) fn tiny() -> StudySettings {
    StudySettings {
        pairs: PAIRS.len(),
        ..StudySettings::default()
    }
}

/// The calls of roles, written short.
pub(crate) fn count(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter().map(|&(role, n)| (role.to_owned(), n)).collect()
}
