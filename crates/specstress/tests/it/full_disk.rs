//! A disk that is full is said, and costs nothing that was there.

use std::path::Path;
use std::process::Command;

use crate::support::{Ended, call, differences, done, has_device, tables, write_study};

/// Runs the binary with no file allowed beyond a size. With the signal ignored, writes fail as on a full disk.
fn limited(folder: &Path, kilobytes: usize, arguments: &str) -> Ended {
    let binary = env!("CARGO_BIN_EXE_specstress");
    Command::new("bash")
        .args([
            "-c",
            &format!("ulimit -f {kilobytes}; trap '' XFSZ; exec \"$0\" {arguments}"),
            binary,
        ])
        .current_dir(folder)
        .output()
        .expect("bash starts")
        .into()
}

#[test]
fn the_call_store_fails_loudly_and_the_run_goes_on_with_more_room() {
    let whole = tempfile::tempdir().unwrap();
    write_study(whole.path(), 8, "");
    done(whole.path(), &["run", "--config", "study.toml"]);
    let reference = tables(&whole.path().join("run"));

    // From the first reply on, and in the middle of the answers.
    for kilobytes in [100, 700] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write_study(folder, 8, "");
        let ended = limited(folder, kilobytes, "run --config study.toml");
        ended.refused(
            1,
            &[
                "error: stage ",
                "cannot write a reply",
                "calls.sqlite",
                "run the same command again",
            ],
        );
        assert_eq!(ended.stdout, "");
        let resumed = done(folder, &["run", "--config", "study.toml", "--json"]).json();
        assert!(resumed["calls_made"].as_u64().unwrap() > 0);
        assert_eq!(
            differences(&reference, &tables(&folder.join("run"))),
            Vec::<&str>::new()
        );
    }
}

#[test]
fn results_fail_loudly_and_older_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rows = String::from("o3_value1_position,o3_value2_position\n");
    rows += &"1,2\n".repeat(2000);
    std::fs::write(folder.join("rows.csv"), rows).unwrap();
    std::fs::write(folder.join("older"), "older").unwrap();
    let ended = limited(folder, 8, "analyze rows.csv --rows older");
    ended.refused(1, &["cannot write older", "File too large"]);
    assert_eq!(ended.stdout, "");
    assert_eq!(
        std::fs::read_to_string(folder.join("older")).unwrap(),
        "older"
    );
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        2,
        "no half file stays"
    );
}

#[test]
fn a_full_device_is_said_and_stays_a_device() {
    use std::os::unix::fs::FileTypeExt;
    if !has_device("/dev/full") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("rows.csv"),
        "o3_value1_position,o3_value2_position\n1,2\n",
    )
    .unwrap();
    // A link of ours: were it replaced, the device would not be.
    std::os::unix::fs::symlink("/dev/full", folder.join("full")).unwrap();
    for option in ["--json", "--rows"] {
        call(folder, &["analyze", "rows.csv", option, "full"])
            .refused(1, &["cannot write full", "No space left on device"]);
        let kept = std::fs::metadata(folder.join("full")).unwrap();
        assert!(kept.file_type().is_char_device(), "{option} replaced it");
    }
    let stdout = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended: Ended = crate::support::specstress(folder)
        .args(["analyze", "rows.csv"])
        .stdout(stdout)
        .output()
        .unwrap()
        .into();
    ended.refused(1, &["cannot write to standard output", "No space left"]);
}

#[test]
fn a_pipe_is_written_to_in_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("rows.csv"),
        "o3_value1_position,o3_value2_position\n1,2\n",
    )
    .unwrap();
    let ended = done(
        folder.path(),
        &["analyze", "rows.csv", "--rows", "/dev/stdout"],
    );
    assert!(
        ended.stdout.contains("\"chunk_index\":null"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("standard deviation"),
        "{}",
        ended.stdout
    );
}
