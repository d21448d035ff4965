//! `specstress run` with the settings people change.

use crate::support::{differences, done, files, shared, tables, text, write_study};

#[test]
fn tables_do_not_depend_on_how_much_is_done_at_once() {
    let run = |concurrency: usize| {
        let folder = tempfile::tempdir().unwrap();
        write_study(folder.path(), 8, &format!("concurrency = {concurrency}\n"));
        done(folder.path(), &["run", "--config", "study.toml"]);
        tables(&folder.path().join("run"))
    };
    let one = run(1);
    assert_eq!(differences(&one, &run(64)), Vec::<&str>::new());
}

#[test]
fn more_pairs_pay_only_for_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = || done(folder, &["run", "--config", "study.toml", "--json"]).json();
    let list = |pairs: &[String]| {
        let listed = pairs.join(", ");
        let more = format!("[sampling]\nmethod = \"list\"\npairs = [{listed}]\n");
        write_study(folder, pairs.len(), &more);
    };
    let names = ["truth-telling", "recognition by peers", "honest elections"];
    let pair =
        |a: usize, b: usize| format!("{{ value1 = \"{}\", value2 = \"{}\" }}", names[a], names[b]);
    list(&[pair(0, 1)]);
    let first = run();
    assert_eq!(first["calls_found"], 0);
    list(&[pair(0, 1), pair(1, 2)]);
    let second = run();
    assert_eq!(second["calls_found"], first["calls_stored"]);
    let (made, before) = (
        second["calls_made"].as_u64().unwrap(),
        first["calls_made"].as_u64().unwrap(),
    );
    assert!(made > 0 && made < before * 3 / 2, "{made} after {before}");
}

#[test]
fn paths_are_relative_to_the_config_and_the_directory_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    write_study(&inner, 2, "");
    done(folder.path(), &["run", "--config", "inner/study.toml"]);
    assert!(inner.join("run/manifest.json").exists());
    assert!(inner.join("journal.txt").exists());
    done(
        folder.path(),
        &["run", "--config", "inner/study.toml", "--dir", "other"],
    );
    assert_eq!(
        differences(
            &tables(&inner.join("run")),
            &tables(&folder.path().join("other"))
        ),
        Vec::<&str>::new()
    );
}

#[test]
fn a_study_of_real_values_and_a_real_spec() {
    let (Some(tree), Some(frequencies), Some(spec)) = (
        shared("values_in_the_wild/values_tree.csv"),
        shared("values_in_the_wild/values_frequencies.csv"),
        shared("openai_model_spec/model_spec_2025-04-11.md"),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let inputs = [&tree, &frequencies, &spec].map(|path| std::fs::read(path).unwrap());
    write_study(
        folder.path(),
        6,
        &format!(
            "[sampling]\nmethod = \"frequency\"\n\
             [taxonomy]\nfile = '{}'\nfrequencies = '{}'\n[spec]\nfile = '{}'\n",
            text(&tree),
            text(&frequencies),
            text(&spec)
        ),
    );
    let json = done(folder.path(), &["run", "--config", "study.toml", "--json"]).json();
    assert_eq!(json["simulated"], true);
    assert!(json["calls_made"].as_u64().unwrap() > 200);
    let again = [&tree, &frequencies, &spec].map(|path| std::fs::read(path).unwrap());
    assert!(inputs == again, "inputs are only read");
    let report = files(&folder.path().join("run/report"));
    assert_eq!(report.len(), 3);
}
