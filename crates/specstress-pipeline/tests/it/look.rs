//! Reading a run's tables for comparison with what was worked out by hand.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use specstress_dataset::Table;
use specstress_dataset::rows::ScenarioRow;
use specstress_llm::OutcomeKind;
use specstress_pipeline::{Manifest, RunDir, StageName};

/// All rows of a table.
pub(crate) fn rows<T: Table + 'static>(dir: &Path) -> Vec<T> {
    RunDir::tables_of(dir)
        .rows::<T>()
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// Each row of a table as a line.
pub(crate) fn lines<T: Table + 'static>(dir: &Path, line: impl Fn(&T) -> String) -> Vec<String> {
    rows(dir).iter().map(line).collect()
}

/// Questions by id, and the other way round.
pub(crate) struct Questions {
    queries: HashMap<String, String>,
    order: Vec<String>,
}

impl Questions {
    pub(crate) fn of(dir: &Path) -> Self {
        let mut queries = HashMap::new();
        let mut order = Vec::new();
        for row in rows::<ScenarioRow>(dir) {
            if let (Some(id), Some(query)) = (row.scenario_id, row.query) {
                order.push(id.clone());
                queries.insert(id, query);
            }
        }
        Self { queries, order }
    }

    /// The question of an id.
    pub(crate) fn query(&self, id: &str) -> &str {
        &self.queries[id]
    }

    /// Whether ids come in the order of the scenarios, equal ones side by side.
    pub(crate) fn in_order<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> bool {
        let places: Vec<usize> = ids
            .into_iter()
            .map(|id| self.order.iter().position(|known| known == id).unwrap())
            .collect();
        places.is_sorted()
    }
}

/// Every file below a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.insert(
                    name.to_string_lossy().into_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

/// The bytes of a run's tables.
pub(crate) fn table_files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    files(RunDir::tables_of(dir).root())
}

/// A stage's outcomes as the manifest counts them.
pub(crate) fn outcomes(manifest: &Manifest, stage: StageName) -> BTreeMap<String, u64> {
    let record = manifest.stages.iter().find(|record| record.stage == stage);
    record.unwrap().outcomes.clone()
}

/// Outcomes written short.
pub(crate) fn tally(of: &[(OutcomeKind, u64)]) -> BTreeMap<String, u64> {
    of.iter()
        .map(|&(kind, items)| (kind.to_string(), items))
        .collect()
}
