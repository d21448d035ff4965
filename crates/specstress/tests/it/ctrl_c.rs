//! Ctrl-C stops cleanly.

use std::collections::BTreeSet;
use std::process::{Child, Command};

use crate::support::{
    Ended, differences, done, journal, start_study, stored_keys, tables, wait_for_requests,
    write_study,
};

fn interrupt(process: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(status.success(), "the process has ended before");
}

#[test]
fn what_is_in_flight_is_stored_and_the_run_goes_on_later() {
    let whole = tempfile::tempdir().unwrap();
    write_study(whole.path(), 30, "");
    done(whole.path(), &["run", "--config", "study.toml"]);
    let all = journal(whole.path()).len();

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_study(folder, 30, "");
    let study = start_study(folder);
    wait_for_requests(folder, all / 3);
    interrupt(&study);
    let ended = Ended::from(study.wait_with_output().unwrap());
    ended.refused(
        3,
        &[
            "stopping: calls in flight end and are stored",
            "new replies are stored",
            "error: the run was stopped in stage",
            "run the same command again to go on",
        ],
    );
    assert_eq!(ended.stdout, "");

    let asked: BTreeSet<String> = journal(folder).into_iter().collect();
    assert!(asked.len() < all, "it was not stopped");
    assert_eq!(asked, stored_keys(folder), "every reply asked for is kept");
    let status = done(folder, &["status", "run"]).stdout;
    assert!(status.contains("stopped in stage"), "{status}");

    let lines = journal(folder).len();
    let resumed = done(folder, &["run", "--config", "study.toml", "--json"]).json();
    assert_eq!(resumed["calls_stored"].as_u64().unwrap(), {
        let before = resumed["calls_found"].as_u64().unwrap();
        before + resumed["calls_made"].as_u64().unwrap()
    });
    assert!(
        journal(folder)[lines..]
            .iter()
            .all(|key| !asked.contains(key))
    );
    assert_eq!(journal(folder).len(), all, "nothing was asked twice");
    assert_eq!(
        differences(
            &tables(&whole.path().join("run")),
            &tables(&folder.join("run"))
        ),
        Vec::<&str>::new()
    );
}
