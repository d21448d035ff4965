//! The report of a run that is there.

use crate::support::{call, done, files};

#[test]
fn a_report_is_written_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["demo", "--pairs", "4", "--dir", "run"]);
    let before = files(&folder.join("run"));
    let json = done(folder, &["report", "run", "--out", "deep/out", "--json"]).json();
    assert_eq!(json["html"], "deep/out/report.html");
    let out = files(&folder.join("deep/out"));
    let names: Vec<&str> = out.keys().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(names, ["report.html", "report.json", "report.md"]);
    let own = files(&folder.join("run/report"));
    assert_eq!(own, {
        let was = before.iter().filter_map(|(name, bytes)| {
            Some((name.strip_prefix("report").ok()?.to_owned(), bytes.clone()))
        });
        was.collect()
    });

    let text = done(folder, &["report", "run"]).stdout;
    assert!(text.contains("Wrote run/report/report.html"), "{text}");
    // The same tables and calls give the same report, wherever it stands.
    assert_eq!(files(&folder.join("run/report")), out);
}

#[test]
fn a_report_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), &["report", "nowhere", "--out", "out"])
        .refused(2, &["nowhere is not a run directory"]);
    assert!(!folder.path().join("out").exists());
}
