use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::error::PipelineError;
use crate::progress::StageName;
use crate::settings::StudySettings;

/// The version of a run directory's layout.
const FORMAT: u64 = 1;

/// What a run was made of: enough to say why two runs differ, and to report on one without its config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the run directory's layout.
    pub format: u64,
    /// Version of the program.
    pub version: String,
    /// Whether the panel is simulated; then no number here says anything about a real model.
    pub simulated: bool,
    /// The settings of the study.
    pub settings: StudySettings,
    /// Who answers, in panel order.
    pub panel: Vec<PanelInfo>,
    /// The judges' names.
    pub judges: Vec<String>,
    /// Hashes and names of what went in: `taxonomy`, `spec`, `prompt/NAME`, `model/ROLE`.
    pub inputs: BTreeMap<String, String>,
    /// What the run may spend.
    #[serde(default)]
    pub budget: Budget,
    /// The stages that are done, with rows and outcomes.
    pub stages: Vec<StageRecord>,
}

#[derive(Deserialize)]
struct Version {
    format: u64,
}

/// A panel model as the manifest and the report know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelInfo {
    /// Key in every table, such as `claude_opus_4`.
    pub key: String,
    /// The family it is grouped by.
    pub provider: String,
    /// The name shown to people.
    pub name: String,
    /// The model id that is asked.
    pub model: String,
}

/// One finished stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which.
    pub stage: StageName,
    /// Items by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// What it was made from; empty when it must be made again in any case.
    #[serde(default)]
    pub fingerprint: String,
    /// SHA-256 of its tables' files.
    #[serde(default)]
    pub content: String,
    /// Bytes of its tables' files.
    #[serde(default)]
    pub bytes: u64,
}

impl StageRecord {
    /// All items.
    pub fn items(&self) -> u64 {
        self.outcomes.values().sum()
    }
}

impl Manifest {
    pub(crate) fn new(settings: StudySettings) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            simulated: false,
            settings,
            panel: Vec::new(),
            judges: Vec::new(),
            inputs: BTreeMap::new(),
            budget: Budget::default(),
            stages: Vec::new(),
        }
    }

    /// Reads a manifest; `None` when there is none yet.
    ///
    /// Safe while a run writes it: it is replaced whole.
    ///
    /// # Errors
    /// [`PipelineError::NewerFormat`] for a run of a newer build, [`PipelineError::Manifest`] for a file that is not
    /// one, and [`PipelineError::Io`] for one that cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>, PipelineError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PipelineError::io("cannot read", path)(error)),
        };
        let damaged = |source| PipelineError::Manifest {
            path: path.to_owned(),
            source,
        };
        // The version first: a newer layout need not parse as ours.
        let Version { format } = serde_json::from_str(&text).map_err(damaged)?;
        if format > FORMAT {
            return Err(PipelineError::NewerFormat {
                path: path.to_owned(),
                found: format,
                supported: FORMAT,
            });
        }
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// Replaces the manifest; a reader sees the old one or the new one.
    pub(crate) fn write(&self, path: &Path) -> Result<(), PipelineError> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|source| PipelineError::Manifest {
                path: path.to_owned(),
                source,
            })?;
        text.push('\n');
        let temporary = path.with_extension("json.tmp");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&temporary, path)
        };
        write().map_err(PipelineError::io("cannot write", path))
    }
}
