//! Sheets for people: drawn, filled in by the simulation's truth, and read back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{LabelSampleRow, ResponseRow, ScenarioRow, VerdictRow};
use specstress_sim::{SimOptions, SimWorld, TrueLabel};
use specstress_values::{Taxonomy, ValuePair};

use crate::support::{call, done, files};

const SEED: u64 = 3;

pub(crate) fn demo(folder: &Path, pairs: &str) {
    done(
        folder,
        &["demo", "--pairs", pairs, "--seed", "3", "--dir", "run"],
    );
}

/// What is true of an answer of the simulated panel.
struct Truth {
    problematic: bool,
    positions: (Option<u8>, Option<u8>),
    refusal: &'static str,
}

/// Every answer of the run with its truth.
fn truths(run: &Path) -> BTreeMap<(String, String), Truth> {
    let options = SimOptions {
        seed: SEED,
        ..SimOptions::default()
    };
    let world = SimWorld::new(&Taxonomy::builtin(), options).unwrap();
    let tables = TableDir::new(run.join("tables"));
    let questions: BTreeMap<String, (ValuePair, String)> = tables
        .rows::<ScenarioRow>()
        .unwrap()
        .map(Result::unwrap)
        .filter_map(|row| {
            Some((
                row.scenario_id?,
                (ValuePair::new(row.value1, row.value2), row.query?),
            ))
        })
        .collect();
    let answers = tables.rows::<ResponseRow>().unwrap().map(Result::unwrap);
    answers
        .filter_map(|row| {
            let (pair, query) = &questions[&row.scenario_id];
            let text = row.text?;
            let truth = Truth {
                problematic: world.true_label(query, &text) != TrueLabel::Compliant,
                positions: world.read_positions(pair, &text),
                refusal: world.truth(pair, query, &row.model).refusal_name(),
            };
            Some(((row.scenario_id, row.model), truth))
        })
        .collect()
}

pub(crate) fn drawn(run: &Path) -> Vec<LabelSampleRow> {
    let tables = TableDir::new(run.join("tables"));
    tables.rows().unwrap().map(Result::unwrap).collect()
}

/// A sheet as the truth would fill it in; `flip` says of which items the decision is turned around.
fn filled(run: &Path, rater: &str, flip: impl Fn(&str) -> bool) -> String {
    let truths = truths(run);
    let mut text =
        String::from("item,decision,value1_position,value2_position,refusal_kind,rater\n");
    for row in drawn(run) {
        let truth = &truths[&(row.scenario_id, row.model)];
        let decision = if truth.problematic == flip(&row.item) {
            "compliant"
        } else {
            "non-compliant"
        };
        let place = |at: Option<u8>| at.map_or_else(String::new, |at| at.to_string());
        let _ = writeln!(
            text,
            "{},{decision},{},{},{},{rater}",
            row.item,
            place(truth.positions.0),
            place(truth.positions.1),
            truth.refusal
        );
    }
    text
}

pub(crate) fn import(folder: &Path, sheets: &[&str]) -> Value {
    let mut arguments = vec!["labels", "import"];
    arguments.extend(sheets);
    arguments.extend(["run", "--json"]);
    done(folder, &arguments).json()
}

#[track_caller]
fn holds(estimate: &Value, truth: f64) {
    let end = |end: &str| estimate[end].as_f64().expect("an end of an interval");
    assert!(
        end("low") <= truth && truth <= end("high"),
        "{truth} is not in {estimate}"
    );
}

#[test]
fn labels_by_the_truth_find_the_judges_errors_and_the_true_rates() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    demo(folder, "100");
    done(folder, &["sample", "--for-labels", "300", "run"]);
    let run = folder.join("run");
    std::fs::write(folder.join("ann.csv"), filled(&run, "ann", |_| false)).unwrap();
    let people = &import(folder, &["ann.csv"])["people"];

    // The truth over all judged answers, from the tables.
    let truths = truths(&run);
    let tables = TableDir::new(run.join("tables"));
    let mut votes: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    for row in tables.rows::<VerdictRow>().unwrap().map(Result::unwrap) {
        if let Some(decision) = row.decision {
            let (all, yes) = votes.entry((row.scenario_id, row.model)).or_default();
            *all += 1;
            *yes += u32::from(decision.is_problematic());
        }
    }
    let mut table = [[0.0; 2]; 2];
    let mut questions: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for (key, (all, yes)) in &votes {
        let truth = truths[key].problematic;
        table[usize::from(truth)][usize::from(2 * yes > *all)] += 1.0;
        questions.entry(key.0.as_str()).or_default().push(truth);
    }
    let [[fine, alarm], [missed, found]] = table;
    let all: f64 = fine + alarm + missed + found;
    let majority = &people["majority"];
    holds(&majority["sensitivity"], found / (found + missed));
    holds(&majority["specificity"], fine / (fine + alarm));
    holds(&majority["accuracy"], (fine + found) / all);
    assert_eq!(people["judges"].as_array().unwrap().len(), 3);

    let rates = people["rates"].as_array().unwrap();
    assert_eq!(rates.len(), 6);
    assert_eq!(people["population"].as_f64(), Some(all));
    assert_eq!(people["uncovered"], 0);
    let truth = (missed + found) / all;
    holds(&rates[0]["by_people"], truth);
    holds(&rates[0]["corrected"], truth);
    let judged = rates[0]["problematic"]["share"].as_f64().unwrap();
    assert!((judged - (alarm + found) / all).abs() < 1e-12);
    // Judged and true shares may be alike by chance, so the labels are held against the truth alone.
    let by_people = rates[0]["by_people"]["value"].as_f64().unwrap();
    assert!((by_people - truth).abs() < 0.015, "{truth}: {}", rates[0]);
    let complete: Vec<_> = questions
        .values()
        .filter(|answers| answers.len() == 5)
        .collect();
    let every = complete
        .iter()
        .filter(|answers| answers.iter().all(|yes| *yes))
        .count();
    holds(
        &rates[0]["frequent_corrected"],
        every as f64 / complete.len() as f64,
    );

    // The classifier of the simulation is off by little and to no side.
    holds(&people["positions"]["bias"], 0.0);
    assert!(people["positions"]["within_one"]["value"].as_f64().unwrap() > 0.9);
    assert!(people["refusal_kinds"]["kappa"]["value"].as_f64().unwrap() > 0.9);

    // The report tells it too.
    done(folder, &["report", "run"]);
    for name in ["report.html", "report.md", "report.json"] {
        let report = std::fs::read_to_string(run.join("report").join(name)).unwrap();
        assert!(report.contains("ann"), "{name}");
    }
}

#[test]
fn several_people_are_counted_by_majority_and_held_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    demo(folder, "30");
    done(folder, &["sample", "--for-labels", "60", "run"]);
    let run = folder.join("run");
    let items: Vec<String> = drawn(&run).into_iter().map(|row| row.item).collect();
    let turned = |item: &str| items[..6].iter().any(|other| other == item);
    for (name, flips) in [("ann", false), ("bob", true), ("cyd", false)] {
        let text = filled(&run, name, |item| flips && turned(item));
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
    let alone = import(folder, &["ann.csv"]);
    let all = import(folder, &["bob.csv", "cyd.csv"]);
    assert_eq!(
        (&alone["stored"], &all["stored"], &all["replaced"]),
        (&60.into(), &180.into(), &0.into())
    );
    // One of three is outvoted, so nothing changes.
    assert_eq!(all["people"]["majority"], alone["people"]["majority"]);
    let between = &all["people"]["between"];
    assert_eq!(between[0]["n"], 60);
    let same = between[0]["same"].as_f64().unwrap();
    assert!((same - (54.0 + 6.0 / 3.0) / 60.0).abs() < 1e-12, "{same}");
    assert_eq!(between[1]["alpha"], 1.0);
    // Of two, one against one counts for nobody.
    std::fs::write(folder.join("cyd.csv"), filled(&run, "cyd", turned)).unwrap();
    let third = import(folder, &["cyd.csv"]);
    assert_eq!(
        (&third["stored"], &third["replaced"]),
        (&180.into(), &60.into())
    );
    assert_ne!(third["people"]["majority"], alone["people"]["majority"]);
    let shown = done(folder, &["labels", "show", "run", "--json"]).json();
    assert_eq!(shown, third["people"]);
    let text = done(folder, &["labels", "show", "run"]).stdout;
    assert!(text.contains("ann 60, bob 60, cyd 60"), "{text}");
}

#[test]
fn a_sheet_is_blind_the_same_again_and_grows_by_adding() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    demo(folder, "30");
    let draw = |number: &str| {
        done(folder, &["sample", "--for-labels", number, "run"]);
        let items: Vec<String> = drawn(&folder.join("run"))
            .into_iter()
            .map(|row| row.item)
            .collect();
        (items, files(&folder.join("run/labels")))
    };
    let (small, written) = draw("70");
    assert_eq!(draw("70").1, written);
    let (large, _) = draw("100");
    assert!(small.iter().all(|item| large.contains(item)));
    assert!(small.is_sorted() && small.len() == 70 && large.len() == 100);

    let rows = drawn(&folder.join("run"));
    for name in ["sheet.csv", "sheet.html"] {
        let text = std::fs::read_to_string(folder.join("run/labels").join(name)).unwrap();
        for row in &rows {
            assert!(
                !text.contains(&row.model) && !text.contains(&row.scenario_id),
                "{name}: {row:?}"
            );
        }
        for word in ["judge_", "std_", "problematic/"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
    // Every stratum's draw is known with the number it stands for.
    let mut strata: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in rows {
        strata.entry(row.stratum).or_insert((row.population, 0)).1 += 1;
    }
    assert!(
        strata.len() > 4
            && strata
                .values()
                .all(|(population, drawn)| drawn <= population)
    );
}

#[test]
fn what_is_wrong_with_a_sheet_is_told_and_nothing_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    call(folder, &["sample", "--for-labels", "9", "run"])
        .refused(2, &["run is not a run directory"]);
    demo(folder, "10");
    std::fs::write(folder.join("a.csv"), "item,decision\n").unwrap();
    let import = ["labels", "import", "a.csv", "run"];
    call(folder, &import).refused(2, &["no sheet was drawn", "--for-labels"]);
    call(folder, &["sample", "--for-labels", "0", "run"]).refused(2, &["at least one"]);
    call(folder, &["labels", "show", "run"]).refused(2, &["has no labels"]);
    done(folder, &["sample", "--for-labels", "12", "run"]);
    let item = drawn(&folder.join("run"))[0].item.clone();
    for (text, parts) in [
        ("item,decision\n", &["no row is filled in"][..]),
        ("item,choice\nI,x\n", &["no column `decision`"]),
        (
            "item,decision,rater\nI,maybe,ann\n",
            &[
                "a.csv: row 1 (line 2)",
                "`decision`",
                "\"maybe\"",
                "compliant, non-compliant",
            ],
        ),
        ("item,decision\nI,compliant\n", &["row 1", "--rater NAME"]),
        (
            "item,decision,value1_position,rater\nI,,7,ann\n",
            &["`value1_position`", "\"7\"", "0 to 6"],
        ),
        (
            "item,decision,refusal_kind,rater\nI,,No,ann\n",
            &["`refusal_kind`", "Complete Rejection"],
        ),
        (
            "item,decision,rater\nffff,compliant,ann\n",
            &["\"ffff\"", "another run or another draw"],
        ),
        (
            "item,decision,rater\nI,compliant,ann\nI,ambiguous,ann\n",
            &["row 2", "another row has a different one"],
        ),
        ("item,decision,rater\nI\n", &["row 1"]),
    ] {
        std::fs::write(folder.join("a.csv"), text.replace('I', &item)).unwrap();
        let ended = call(folder, &import);
        ended.refused(2, parts);
    }
    call(folder, &["labels", "show", "run"]).refused(2, &["has no labels"]);

    // A byte order mark, names of positions, capitals, an equal row twice and notes are fine.
    let text = "\u{feff}item,decision,value1_position,notes,rater\nI,Compliant,neutral,\"a, b\",\nI,Compliant,neutral,\"a, b\",\n";
    std::fs::write(folder.join("a.csv"), text.replace('I', &item)).unwrap();
    let stored = done(
        folder,
        &[
            "labels", "import", "a.csv", "run", "--rater", "ann", "--json",
        ],
    )
    .json();
    assert_eq!(
        (&stored["stored"], &stored["sheets"][0]["filled"]),
        (&1.into(), &2.into())
    );
    // One label is too few for anything, and null says so.
    assert_eq!(
        stored["people"]["majority"]["accuracy"]["value"],
        Value::Null
    );
    assert_eq!(stored["people"]["majority"]["accuracy"]["n"], 1);
    let text = done(folder, &["labels", "show", "run"]).stdout;
    assert!(text.contains("1 of 12 drawn answers"), "{text}");

    // Neither imported labels nor a filled sheet are lost by drawing again.
    let again = ["sample", "--for-labels", "13", "run"];
    call(folder, &again).refused(2, &["--discard-labels"]);
    let sheet = folder.join("run/labels/sheet.csv");
    let table = std::fs::read_to_string(&sheet).unwrap();
    std::fs::write(
        &sheet,
        format!(
            "{}{item},q,a,v,s,v,s,compliant,,,,,ann\n",
            table.lines().next().unwrap().to_owned() + "\n"
        ),
    )
    .unwrap();
    let discard = ["sample", "--for-labels", "13", "run", "--discard-labels"];
    call(folder, &discard).refused(2, &["sheet.csv is filled in"]);
    std::fs::remove_file(&sheet).unwrap();
    done(folder, &discard);
    call(folder, &["labels", "show", "run"]).refused(2, &["has no labels"]);
}

#[test]
fn labels_do_not_go_to_an_answer_that_was_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    demo(folder, "10");
    done(folder, &["sample", "--for-labels", "12", "run"]);
    let run = folder.join("run");
    std::fs::write(folder.join("a.csv"), filled(&run, "ann", |_| false)).unwrap();
    let tables = TableDir::new(run.join("tables"));
    let mut rows: Vec<ResponseRow> = tables.rows().unwrap().map(Result::unwrap).collect();
    let first = &drawn(&run)[0];
    for row in &mut rows {
        if row.scenario_id == first.scenario_id && row.model == first.model {
            row.text = Some("Quite another answer.".to_owned());
        }
    }
    let mut writer = tables.writer::<ResponseRow>().unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    writer.finish().unwrap();
    call(folder, &["labels", "import", "a.csv", "run"])
        .refused(2, &["1 of 12 answers of the sheet were given again"]);
}
