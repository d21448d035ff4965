//! Help that teaches, and a reader that goes away.

use std::io::Read;
use std::process::Stdio;

use crate::support::{call, done, specstress};

#[test]
fn every_command_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    for (command, parts) in [
        ("", &["Exit codes:", "specstress demo", "taxonomy"][..]),
        (
            "demo",
            &[
                "no key and no network",
                "--pairs",
                "--seed",
                "[default: 200]",
            ],
        ),
        ("init", &["specstress.toml", "The file to write"]),
        ("run", &["pays only for what is new", "Ctrl-C", "--config"]),
        ("status", &["from any terminal", "--json"]),
        (
            "analyze",
            &["--std", "--outliers", "--subset", "NAME=a,b,c", "Example:"],
        ),
        (
            "agree",
            &["one column per rater", "--cluster", "--gold", "Example:"],
        ),
        ("judge", &["--spec", "--quotes", "never twice", "Example:"]),
        ("sim spec", &["--resolve", "Example:"]),
        ("rank", &["Bradley-Terry", "--ties", "--splits", "Example:"]),
        ("report", &["report.html", "--out"]),
        (
            "select",
            &[
                "--weighted-radius",
                "--verify",
                "farthest-first",
                "Example:",
            ],
        ),
        ("sample", &["--for-labels", "--discard-labels", "Example:"]),
        (
            "labels import",
            &["--rater", "Every row is checked", "Example:"],
        ),
        ("spec", &["show", "check", "diff"]),
        ("spec check", &["Exit code 2"]),
        ("spec diff", &["--text", "--section", "Example:"]),
        ("taxonomy", &["show", "search", "check"]),
        ("taxonomy show", &["--taxonomy", "--frequencies"]),
        ("taxonomy search", &["--limit"]),
        ("taxonomy check", &["mistake"]),
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let help = done(folder.path(), &arguments).stdout;
        assert!(help.lines().count() >= 8, "{command}: {help}");
        for part in parts {
            assert!(help.contains(part), "{command}: no {part:?} in {help}");
        }
    }
}

#[test]
fn a_command_line_that_is_wrong_is_the_users_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["demo", "--paris", "3"], "--pairs"),
        (&["demo", "--pairs", "many"], "invalid value 'many'"),
        (&["analyze"], "<FILE>"),
        (&["analyze", "x.csv", "--std", "robust"], "population"),
    ] {
        call(folder.path(), arguments).refused(2, &[part]);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["taxonomy", "show"][..],
        &["taxonomy", "search", "a", "--json"],
        &["--help"],
    ] {
        let mut process = specstress(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // As `| head -0` would: nobody reads what is written.
        drop(process.stdout.take());
        let mut said = String::new();
        let mut stderr = process.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert!(process.wait().unwrap().success(), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}
