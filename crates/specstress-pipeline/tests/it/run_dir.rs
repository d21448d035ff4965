//! A run directory belongs to one process, and to nothing else than a run.

use std::path::Path;

use specstress_pipeline::{Manifest, PipelineError, RunDir};

use crate::cast::{Cast, tiny};
use crate::look::files;

/// The refusal, which must leave the directory as it was.
fn refused(path: &Path) -> PipelineError {
    let before = files(path);
    let error = RunDir::open(path).unwrap_err();
    assert!(files(path) == before, "{error} after writing");
    error
}

#[test]
fn a_new_directory_is_made_with_its_parents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runs/first");
    assert!(!RunDir::is_locked(&path));
    let run = RunDir::open(&path).unwrap();
    assert_eq!(run.path(), path);
    assert_eq!(run.tables(), RunDir::tables_of(&path));
    assert!(RunDir::calls_path(&path).exists());
    assert_eq!(Manifest::read(&RunDir::manifest_path(&path)).unwrap(), None);
}

#[test]
fn a_held_directory_is_refused_with_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    assert!(RunDir::is_locked(dir.path()));
    let error = refused(dir.path());
    assert!(matches!(error, PipelineError::Locked { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{} is in use by another process (process {}); wait for it, or use another run directory",
            dir.path().display(),
            std::process::id()
        )
    );
    drop(run);
    assert!(!RunDir::is_locked(dir.path()));
    RunDir::open(dir.path()).unwrap();
}

#[test]
fn a_directory_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.tex"), "years of work").unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, PipelineError::NotARun { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not a run directory and not empty; choose a new or empty directory",
            dir.path().display()
        )
    );
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_file_is_no_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "text").unwrap();
    let error = RunDir::open(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
}

#[test]
fn a_run_of_a_newer_build_is_refused_even_where_it_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = RunDir::manifest_path(dir.path());
    std::fs::write(&path, r#"{"format": 2, "settings": "unlike ours"}"#).unwrap();
    let error = refused(dir.path());
    assert!(matches!(
        error,
        PipelineError::NewerFormat {
            found: 2,
            supported: 1,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "{} has run format 2, and this build reads up to 1; use a newer specstress",
            path.display()
        )
    );
}

#[test]
fn a_damaged_manifest_is_named_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = RunDir::manifest_path(dir.path());
    for damage in ["", "{", "[]", r#"{"format": "one"}"#, r#"{"format": 1}"#] {
        std::fs::write(&path, damage).unwrap();
        let error = refused(dir.path());
        assert!(
            matches!(error, PipelineError::Manifest { .. }),
            "{damage}: {error:?}"
        );
        let message = format!("{} is not a readable manifest", path.display());
        assert_eq!(error.to_string(), message);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_run_is_opened_again_and_read_without_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let manifest = Manifest::read(&RunDir::manifest_path(dir.path()))
        .unwrap()
        .unwrap();
    assert_eq!(manifest.stages.len(), 13);
    let tables = RunDir::tables_of(dir.path());
    assert_eq!(
        tables
            .count::<specstress_dataset::rows::ResponseRow>()
            .unwrap(),
        27
    );
    drop(run);
    // No file of a half-written manifest or table is left.
    let left: Vec<_> = files(dir.path())
        .into_keys()
        .filter(|name| name.contains("tmp") || name.contains("partial"))
        .collect();
    assert_eq!(left, [""; 0]);
}
