//! What the tests of the binary share: starting it, and looking at what it left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

/// The binary, to be run in a folder.
pub(crate) fn specstress(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_specstress"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

impl Ended {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is JSON")
    }

    /// Asserts the exit code and that the message holds every part.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "{part:?} is not in the message: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Runs the binary to its end.
pub(crate) fn call(folder: &Path, arguments: &[&str]) -> Ended {
    specstress(folder)
        .args(arguments)
        .output()
        .expect("the binary starts")
        .into()
}

/// Runs the binary to its end, which must be a good one.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> Ended {
    let ended = call(folder, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended
}

/// Writes a config of a small study with a journal beside it; the run goes to `run`.
pub(crate) fn write_study(folder: &Path, pairs: usize, more: &str) {
    let text = format!(
        "dir = \"run\"\n\n[simulation]\njournal = \"journal.txt\"\n\n[study]\npairs = {pairs}\n{more}"
    );
    std::fs::write(folder.join("study.toml"), text).expect("the config is written");
}

/// `specstress run` of what [`write_study`] wrote, with its outputs kept.
pub(crate) fn start_study(folder: &Path) -> Child {
    specstress(folder)
        .args(["run", "--config", "study.toml", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// Waits for something that must come about.
#[track_caller]
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{what} did not come about"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until the journal has so many lines.
#[track_caller]
pub(crate) fn wait_for_requests(folder: &Path, lines: usize) {
    wait_for("a request", || journal(folder).len() >= lines);
}

/// The keys of the requests that models got, in the order they got them.
pub(crate) fn journal(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(folder.join("journal.txt"))
        .unwrap_or_default()
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

/// The keys of the chat replies in the call store of `run`.
///
/// Reads a copy: opening the store itself would tidy up after a killed process.
pub(crate) fn stored_keys(folder: &Path) -> BTreeSet<String> {
    let copy = tempfile::tempdir().expect("a folder");
    let run = folder.join("run");
    for name in ["calls.sqlite", "calls.sqlite-wal"] {
        if run.join(name).exists() {
            std::fs::copy(run.join(name), copy.path().join(name)).expect("the store is copied");
        }
    }
    let store = Connection::open(copy.path().join("calls.sqlite")).expect("the store opens");
    let tables: i64 = store
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name = 'calls'",
            [],
            |row| row.get(0),
        )
        .expect("the store is a database");
    if tables == 0 {
        // Killed before the store was made.
        return BTreeSet::new();
    }
    let mut statement = store
        .prepare("SELECT key FROM calls WHERE kind = 'chat'")
        .expect("the store has the table of calls");
    let keys = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .expect("keys are read");
    keys.map(|key| {
        let mut text = String::new();
        for byte in key.expect("a key") {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    })
    .collect()
}

/// The bytes of every file below a folder, by path within it.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below the folder");
                found.insert(name.to_owned(), std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// The bytes of every table of a run.
pub(crate) fn tables(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(&run.join("tables"))
}

/// The files that differ, or that only one side has.
pub(crate) fn differences(
    one: &BTreeMap<PathBuf, Vec<u8>>,
    other: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<String> {
    let names: BTreeSet<&PathBuf> = one.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| name.display().to_string())
        .collect()
}

/// A file of the shared data; says so where it is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

/// Whether a device is there; says so where it is not.
pub(crate) fn has_device(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let there = std::fs::metadata(path).is_ok_and(|file| file.file_type().is_char_device());
    if !there {
        eprintln!("skipped: this system has no {path}");
    }
    there
}
