use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use specstress_dataset::TableDir;
use specstress_llm::{Recorder, StopSignal};

use crate::batches::Batches;
use crate::budget::{Budget, Purse};
use crate::error::PipelineError;
use crate::gate::{CallPolicy, RunGate};
use crate::manifest::Manifest;
use crate::settings::Shard;
use crate::store::SqliteStore;

/// The directory of one run, held by one process at a time.
///
/// ```text
/// run.lock            held while a process works on the run
/// specstress.toml     the configuration as resolved (written by the program that has one)
/// manifest.json       versions, hashes of inputs and prompts, models, seed, stages done
/// calls.sqlite        every request and reply
/// tables/NAME/        one folder of Parquet parts per table
/// report/             the rendered report
/// ```
///
/// ```
/// use specstress_pipeline::{PipelineError, RunDir};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("first");
/// let run = RunDir::open(&path)?;
/// let again = RunDir::open(&path).unwrap_err();
/// assert!(matches!(again, PipelineError::Locked { .. }));
/// drop(run);
/// RunDir::open(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Where manifest and tables are.
    desk: PathBuf,
    store: Arc<SqliteStore>,
    gate: Arc<RunGate>,
    stop: StopSignal,
    // Released by the system when the process ends, however it ends.
    _lock: File,
}

/// The folder of the shards in the run directory of the whole study.
const SHARDS: &str = "shards";

/// What a process may do with a run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// What is done about calls that are not stored.
    pub policy: CallPolicy,
    /// What may be spent, over all sessions of the run.
    pub budget: Budget,
    /// Which calls go into batches; without it none.
    pub batches: Option<Batches>,
    /// A study beside the run's own, such as a pilot: its manifest and tables are in a folder of this name in the run
    /// directory, its calls in the run's call store, so that the run finds them.
    pub beside: Option<String>,
}

impl RunDir {
    /// Opens a run directory with every call made live and no budget; see [`open_with`](Self::open_with).
    pub fn open(path: &Path) -> Result<Self, PipelineError> {
        Self::open_with(path, RunOptions::default())
    }

    /// Opens a run directory, making it when it is not there, and takes its lock.
    ///
    /// A directory is a run when it holds a manifest or a lock; the lock goes with the process, however it
    /// ends. Cost: a few files and the opening of a database, whatever the size of the run.
    ///
    /// # Errors
    /// [`PipelineError::Locked`] when another process holds it, [`PipelineError::NewerFormat`] when a newer build
    /// wrote it, [`PipelineError::NotARun`] when it holds something that is no run, and
    /// [`PipelineError::Manifest`] when its manifest is damaged; nothing is written in any of these cases.
    /// [`PipelineError::Io`] and [`PipelineError::Store`] when files or the call store cannot be made or opened, and
    /// [`PipelineError::Setting`] for a budget or batch setting that cannot work.
    pub fn open_with(path: &Path, options: RunOptions) -> Result<Self, PipelineError> {
        let refuse = |(setting, reason)| PipelineError::Setting { setting, reason };
        options
            .budget
            .check()
            .map_err(|reason| refuse(("budget", reason)))?;
        if let Some(batches) = &options.batches {
            batches.settings().check().map_err(refuse)?;
        }
        let is_run = Self::manifest_path(path).exists() || path.join("run.lock").exists();
        if !is_run && path.exists() {
            let mut entries =
                std::fs::read_dir(path).map_err(PipelineError::io("cannot read", path))?;
            // The shards of a study are below the run that will join them.
            let foreign = |entry: std::io::Result<std::fs::DirEntry>| {
                entry.map_or(true, |entry| entry.file_name() != SHARDS)
            };
            if entries.any(foreign) {
                return Err(PipelineError::NotARun {
                    path: path.to_owned(),
                });
            }
        }
        Manifest::read(&Self::manifest_path(path))?;
        std::fs::create_dir_all(path).map_err(PipelineError::io("cannot create", path))?;
        let lock = take_lock(path)?;
        let store = Arc::new(SqliteStore::open(&Self::calls_path(path))?);
        let unreadable = |source| PipelineError::Books { source };
        let purse = Purse::new(
            options.budget,
            &store.own_totals().map_err(unreadable)?,
            &store.open_batches().map_err(unreadable)?,
        );
        let gate = RunGate::new(Arc::clone(&store), options.policy, purse, options.batches);
        let desk = match &options.beside {
            Some(name) => path.join(name),
            None => path.to_owned(),
        };
        std::fs::create_dir_all(&desk).map_err(PipelineError::io("cannot create", &desk))?;
        Ok(Self {
            path: path.to_owned(),
            desk,
            store,
            gate: Arc::new(gate),
            stop: StopSignal::default(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the run's call store in front of models, under the run's stop signal.
    ///
    /// Make one per study: its counts are its own, and equal requests become one call only when they go
    /// through the same recorder.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(self.store.clone())
            .with_gate(self.gate.clone())
            .with_stop(self.stop.clone())
    }

    /// Stops the run: calls in flight end and are stored, no new call is made.
    ///
    /// Cannot be taken back: drop this and [`open`](Self::open) the directory again to go on. A fatal error sets
    /// it too.
    pub fn stop_signal(&self) -> &StopSignal {
        &self.stop
    }

    /// The run's call store.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// What is spent so far, and what is held for calls in flight and in batches, both in US dollars.
    pub fn spent_usd(&self) -> (f64, f64) {
        let (spent, held) = self.gate.purse.spent();
        (spent.usd, held.usd)
    }

    /// Calls that were left out under [`CallPolicy::StoredOnly`] so far.
    pub fn left_out(&self) -> u64 {
        self.gate.left_out()
    }

    pub(crate) fn gate(&self) -> &RunGate {
        &self.gate
    }

    /// The run's tables.
    pub fn tables(&self) -> TableDir {
        Self::tables_of(&self.desk)
    }

    /// Where the manifest and the tables of this study are: the run directory, but for a study
    /// [beside](RunOptions::beside) it.
    pub fn desk(&self) -> &Path {
        &self.desk
    }

    /// The tables of any run directory, for readers; needs no lock, since tables change whole.
    pub fn tables_of(path: &Path) -> TableDir {
        TableDir::new(path.join("tables"))
    }

    /// The run directory of a part of a study whose whole has its run at `base`.
    pub fn shard_path(base: &Path, shard: Shard) -> PathBuf {
        base.join(SHARDS)
            .join(format!("{}-of-{}", shard.index, shard.count))
    }

    /// The call store's file.
    pub fn calls_path(path: &Path) -> PathBuf {
        path.join("calls.sqlite")
    }

    /// The manifest's file.
    pub fn manifest_path(path: &Path) -> PathBuf {
        path.join("manifest.json")
    }

    /// Whether some process works on the run now, this one included; `false` where there is no run.
    pub fn is_locked(path: &Path) -> bool {
        OpenOptions::new()
            .read(true)
            .open(path.join("run.lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn take_lock(path: &Path) -> Result<File, PipelineError> {
    let file_path = path.join("run.lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&file_path)
        .map_err(PipelineError::io("cannot open", &file_path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // The number is a courtesy: without it the message still says what to do.
            let _ = file.read_to_string(&mut process);
            let process = process.trim();
            return Err(PipelineError::Locked {
                path: path.to_owned(),
                holder: if process.is_empty() {
                    String::new()
                } else {
                    format!(" (process {process})")
                },
            });
        }
        Err(TryLockError::Error(source)) => {
            return Err(PipelineError::io("cannot lock", file_path)(source));
        }
    }
    let mut note = || -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note().map_err(PipelineError::io("cannot write", &file_path))?;
    Ok(file)
}
