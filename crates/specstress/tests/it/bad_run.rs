//! Run directories and configs that cannot be worked with.

use std::path::Path;

use rusqlite::Connection;

use crate::support::{
    Ended, call, differences, done, files, start_study, tables, wait_for_requests, write_study,
};

/// Asserts that the command is refused and that no file in the folder changes.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, parts: &[&str]) {
    let before = files(folder);
    let ended = call(folder, arguments);
    ended.refused(code, parts);
    assert_eq!(ended.stdout, "");
    let changed = differences(&before, &files(folder));
    assert!(changed.is_empty(), "written over: {changed:?}");
}

#[test]
fn a_misspelt_setting_is_named_with_line_and_remedy() {
    for (text, parts) in [
        (
            "dir = \"run\"\n\n[study]\npiars = 3\n",
            [
                "study.toml, line 4: unknown field `piars`",
                "did you mean `pairs`?",
            ],
        ),
        (
            "dir = \"run\"\n[simulaton]\n",
            [
                "study.toml, line 2: unknown field `simulaton`",
                "did you mean `simulation`?",
            ],
        ),
        (
            "[simulation.world]\nsede = 3\n",
            [
                "study.toml, line 2: unknown field `sede`",
                "did you mean `seed`?",
            ],
        ),
        (
            "[study]\npairs = \"many\"\n",
            ["study.toml, line 2: invalid type", "expected usize"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("study.toml"), text).unwrap();
        refused(folder.path(), &["run", "--config", "study.toml"], 2, &parts);
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn files_of_a_config_that_are_not_there() {
    for (more, part) in [
        ("[spec]\nfile = \"spec.md\"\n", "spec.md"),
        ("[taxonomy]\nfile = \"tree.csv\"\n", "tree.csv"),
        ("[taxonomy]\nfrequencies = \"f.csv\"\n", "set taxonomy.file"),
        ("[prompts]\ndir = \"prompts\"\n", "prompts is not a folder"),
        (
            "[panel]\nsimulated = [\"alder_grand\", \"nobody\"]\n",
            "no simulated model nobody",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_study(folder.path(), 2, more);
        refused(
            folder.path(),
            &["run", "--config", "study.toml"],
            2,
            &[part],
        );
        assert!(!folder.path().join("run").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    refused(
        folder.path(),
        &["run", "--config", "absent.toml"],
        2,
        &["cannot read absent.toml", "specstress init"],
    );
}

#[test]
fn a_run_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["demo", "--pairs", "3", "--dir", "run"]);
    let demo = ["demo", "--pairs", "3", "--dir", "run"];

    let manifest = folder.join("run/manifest.json");
    let ours = std::fs::read_to_string(&manifest).unwrap();
    let newer = ours.replacen("\"format\": 1", "\"format\": 99", 1);
    assert_ne!(newer, ours);
    std::fs::write(&manifest, newer).unwrap();
    let parts = [
        "run/manifest.json has run format 99",
        "use a newer specstress",
    ];
    refused(folder, &demo, 4, &parts);
    refused(folder, &["status", "run"], 4, &parts);
    refused(folder, &["report", "run"], 4, &parts);
    std::fs::write(&manifest, ours).unwrap();
    done(folder, &demo);

    let store = folder.join("run/calls.sqlite");
    let set = |version: i64| {
        let store = Connection::open(&store).unwrap();
        store.pragma_update(None, "user_version", version).unwrap();
    };
    set(99);
    let before = tables(&folder.join("run"));
    let parts = [
        "run/calls.sqlite has run format 99",
        "use a newer specstress",
    ];
    call(folder, &demo).refused(4, &parts);
    call(folder, &["status", "run"]).refused(4, &parts);
    assert_eq!(
        differences(&before, &tables(&folder.join("run"))),
        Vec::<&str>::new()
    );
    set(2);
    done(folder, &demo);
}

#[test]
fn a_second_process_is_turned_away_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_study(folder, 30, "");
    let first = start_study(folder);
    wait_for_requests(folder, 100);
    let second = call(folder, &["run", "--config", "study.toml"]);
    let process = format!("(process {})", first.id());
    second.refused(4, &["run is in use by another process", &process]);
    // Looking is allowed.
    let status = done(folder, &["status", "run", "--json"]).json();
    assert_eq!(status["running"], true);
    let first = Ended::from(first.wait_with_output().unwrap());
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let again = done(folder, &["run", "--config", "study.toml", "--json"]).json();
    assert_eq!(again["calls_made"], 0);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/thesis.txt"), "years").unwrap();
    refused(
        folder.path(),
        &["demo", "--pairs", "3", "--dir", "mine"],
        2,
        &["mine is not a run directory and not empty", "choose"],
    );
    for command in ["status", "report"] {
        refused(
            folder.path(),
            &[command, "mine"],
            2,
            &["mine is not a run directory"],
        );
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "a file").unwrap();
    // Below a file no folder can be made, whoever asks.
    refused(
        folder.path(),
        &["demo", "--pairs", "3", "--dir", "file/run"],
        1,
        &["file/run", "because: Not a directory"],
    );
    std::fs::write(
        folder.path().join("rows.csv"),
        "o3_value1_position,o3_value2_position\n1,2\n",
    )
    .unwrap();
    for option in ["--rows", "--json"] {
        refused(
            folder.path(),
            &["analyze", "rows.csv", option, "absent/out"],
            1,
            &["cannot write absent/out", "No such file or directory"],
        );
    }
}

#[test]
fn a_damaged_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["demo", "--pairs", "2", "--dir", "run"]);
    std::fs::write(folder.path().join("run/manifest.json"), "{\"format\": 1").unwrap();
    for command in [
        &["demo", "--pairs", "2", "--dir", "run"][..],
        &["status", "run"],
    ] {
        refused(
            folder.path(),
            command,
            1,
            &["run/manifest.json is not a readable manifest"],
        );
    }
}
