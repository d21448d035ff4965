use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::{PairRow, ScenarioRow, TopicRow};

use crate::data::labels::TopicCounts;
use crate::data::rate::{GroupRate, Rate};
use crate::data::scan::{Keys, scan, slot};
use crate::error::ReportError;

/// Where in the value space questions were lost (method: 12, item 15): what generators refuse is not missing at random,
/// and the rest of the study is about what is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueSpace {
    /// By second-level category, sorted by name. A question counts once for each category of its two values; without
    /// a taxonomy that knows them there is none.
    pub by_category: Vec<SpaceRow>,
    /// By generator, sorted by name; every question counts once.
    pub by_generator: Vec<SpaceRow>,
    /// By topic, in the prompt's order: who wrote the questions that were found to be about it. Only selected questions
    /// are labelled, and of a question that was refused no topic is known. Empty without labels.
    pub by_topic: Vec<TopicSpace>,
}

/// What became of the questions of one part of the space: each of `sampled` is in just one of the next five, each of
/// `generated` may also be in the last two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceRow {
    /// The part.
    pub group: String,
    /// Questions asked for, three per pair.
    pub sampled: u64,
    /// Questions written, out of those.
    pub generated: Rate,
    /// Refused: by the provider, or by the generator in words.
    pub refused: u64,
    /// Replies that hold no question, and are no refusal.
    pub unparsable: u64,
    /// Cut off at the token limit, or failed calls.
    pub failed: u64,
    /// Not asked for: the neutral question they nudge was lost, or the run was stopped.
    pub not_run: u64,
    /// Questions left after thinning out, of those written; `None` where that was not done.
    pub diverse: Option<Rate>,
    /// Questions selected for at least one subset of models, of those left; `None` where none was made.
    pub selected: Option<Rate>,
}

/// Who wrote the questions on one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicSpace {
    /// The topic.
    pub topic: String,
    /// Questions on it by generator, out of the labelled questions of that generator; sorted by name.
    pub by_generator: Vec<GroupRate>,
}

/// Counts of one part.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sampled: u64,
    generated: u64,
    refused: u64,
    unparsable: u64,
    failed: u64,
    diverse: u64,
    selected: u64,
}

/// Collects [`ValueSpace`] while the first tables are read. Memory: two numbers per pair, and the ids of questions left
/// after thinning out and of labelled ones.
#[derive(Debug, Default)]
pub(crate) struct Space {
    categories: Keys,
    /// The categories of each pair.
    pairs: HashMap<u32, [Option<usize>; 2]>,
    diverse: Option<HashSet<String>>,
    selected: Option<HashSet<String>>,
    /// Places of the topics of each labelled question.
    topics: HashMap<String, Vec<usize>>,
    by_category: Vec<Counts>,
    generators: Keys,
    by_generator: Vec<Counts>,
    /// Labelled questions of each generator, then those on each topic.
    labelled: Vec<(u64, [u64; TopicCounts::TOPICS.len()])>,
}

impl Space {
    /// Reads which questions have which topics.
    pub(crate) fn read(tables: &TableDir) -> Result<Self, ReportError> {
        let mut space = Self::default();
        let names = Keys::new(&TopicCounts::TOPICS.map(str::to_owned));
        scan::<TopicRow>(tables, |_, row| {
            if row.outcome.as_str() == "answered" {
                let topics = row.topics.iter();
                let places = topics.filter_map(|topic| names.find(topic.as_str()));
                space.topics.insert(row.scenario_id, places.collect());
            }
            Ok(())
        })?;
        Ok(space)
    }

    pub(crate) fn pair(&mut self, row: &PairRow) {
        let mut place = |name: &Option<String>| Some(self.categories.place(name.as_ref()?));
        let places = [place(&row.category1), place(&row.category2)];
        self.pairs.insert(row.pair, places);
    }

    /// A question that a selection kept; `diversity` is the one that thins out before anyone is asked.
    pub(crate) fn selection(&mut self, diversity: bool, scenario_id: String) {
        let set = if diversity {
            &mut self.diverse
        } else {
            &mut self.selected
        };
        set.get_or_insert_default().insert(scenario_id);
    }

    pub(crate) fn scenario(&mut self, row: &ScenarioRow) {
        let generator = self.generators.place(&row.generator);
        let [first, second] = self.pairs.get(&row.pair).copied().unwrap_or_default();
        let kept = |set: &Option<HashSet<String>>| {
            let (Some(set), Some(id)) = (set, &row.scenario_id) else {
                return false;
            };
            set.contains(id)
        };
        let (diverse, selected) = (kept(&self.diverse), kept(&self.selected));
        let add = |counts: &mut Counts| {
            counts.sampled += 1;
            match row.outcome.as_str() {
                "answered" => counts.generated += 1,
                "blocked" => counts.refused += 1,
                "unparsable" => counts.unparsable += 1,
                "truncated" | "failed" => counts.failed += 1,
                _ => {}
            }
            counts.diverse += u64::from(diverse);
            counts.selected += u64::from(selected);
        };
        add(slot(&mut self.by_generator, generator));
        if let Some(first) = first {
            add(slot(&mut self.by_category, first));
        }
        if let Some(second) = second
            && Some(second) != first
        {
            add(slot(&mut self.by_category, second));
        }
        let labelled = slot(&mut self.labelled, generator);
        if let Some(topics) = row.scenario_id.as_ref().and_then(|id| self.topics.get(id)) {
            labelled.0 += 1;
            for &topic in topics {
                labelled.1[topic] += 1;
            }
        }
    }

    pub(crate) fn finish(self) -> ValueSpace {
        let (thinned, chosen) = (self.diverse.is_some(), self.selected.is_some());
        let rows = |keys: &Keys, counts: &[Counts]| {
            let mut rows: Vec<SpaceRow> = keys
                .names()
                .iter()
                .zip(counts)
                .map(|(group, counts)| counts.row(group, thinned, chosen))
                .collect();
            rows.sort_by(|a, b| a.group.cmp(&b.group));
            rows
        };
        let by_topic = TopicCounts::TOPICS
            .iter()
            .enumerate()
            .map(|(place, topic)| {
                let of = self.generators.names().iter().zip(&self.labelled);
                let mut by_generator: Vec<GroupRate> = of
                    .map(|(group, (labelled, topics))| GroupRate {
                        group: group.clone(),
                        rate: Rate::new(topics[place], *labelled),
                    })
                    .collect();
                by_generator.sort_by(|a, b| a.group.cmp(&b.group));
                TopicSpace {
                    topic: (*topic).to_owned(),
                    by_generator,
                }
            });
        ValueSpace {
            by_category: rows(&self.categories, &self.by_category),
            by_generator: rows(&self.generators, &self.by_generator),
            by_topic: if self.topics.is_empty() {
                Vec::new()
            } else {
                by_topic.collect()
            },
        }
    }
}

impl Counts {
    fn row(&self, group: &str, thinned: bool, chosen: bool) -> SpaceRow {
        let lost = self.refused + self.unparsable + self.failed;
        let left = if thinned {
            self.diverse
        } else {
            self.generated
        };
        SpaceRow {
            group: group.to_owned(),
            sampled: self.sampled,
            generated: Rate::new(self.generated, self.sampled),
            refused: self.refused,
            unparsable: self.unparsable,
            failed: self.failed,
            not_run: self.sampled - self.generated - lost,
            diverse: thinned.then(|| Rate::new(self.diverse, self.generated)),
            selected: chosen.then(|| Rate::new(self.selected, left)),
        }
    }
}
