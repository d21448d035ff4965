//! A config to start from.

use crate::support::{call, done};

#[test]
fn the_config_runs_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let said = done(folder, &["init"]).stdout;
    assert!(
        said.contains("specstress run --config specstress.toml"),
        "{said}"
    );
    let path = folder.join("specstress.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 20);

    let changed = text.replacen("\npairs = 200\n", "\npairs = 4\n", 1);
    assert_ne!(changed, text);
    std::fs::write(&path, &changed).unwrap();
    call(folder, &["init"]).refused(
        2,
        &["specstress.toml is already there", "nothing was written"],
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);

    let ended = done(folder, &["run"]);
    let report = "specstress-runs/study/report/report.html";
    assert!(ended.stdout.contains(report), "{}", ended.stdout);
    assert!(folder.join(report).exists());
    let kept = folder.join("specstress-runs/study/specstress.toml");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), changed);
}

#[test]
fn a_config_goes_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["init", "mine.toml"]);
    assert!(folder.path().join("mine.toml").exists());
    call(folder.path(), &["init", "absent/mine.toml"])
        .refused(1, &["cannot write absent/mine.toml"]);
}
