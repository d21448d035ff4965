//! The same answers under another spec, from the command line.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{call, differences, done, files, journal, tables, write_study};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a text")
}

/// Verdicts flip, and where a planted clause is invoked.
fn flips_are_of(planted: &BTreeSet<&str>, found: &Value) {
    // Under a spec that decides, some answers flip, most of them where a contradicting clause is invoked.
    let flips = found["flips"].as_array().unwrap();
    assert!(flips.len() >= 5, "{}", flips.len());
    let invokes = |flip: &Value| {
        let grounds = |when: &str| flip[when].as_array().unwrap().clone();
        [grounds("before"), grounds("after")].concat()
    };
    let of_planted = flips
        .iter()
        .filter(|flip| {
            invokes(flip)
                .iter()
                .any(|ground| planted.contains(text(ground, "section")))
        })
        .count();
    let sections = found["sections"].as_array().unwrap();
    // The spec is otherwise the same, and so are the verdicts. A judge may cite nothing, or misname a section.
    assert!(
        10 * of_planted >= 9 * flips.len(),
        "{of_planted} of {}",
        flips.len()
    );
    assert!(
        planted.contains(text(&sections[0]["section"], "section")),
        "{sections:#?}"
    );
    for row in sections.iter().filter(|row| row["in_second"] == false) {
        assert!(planted.contains(text(&row["section"], "section")));
    }
    assert!(
        sections
            .iter()
            .all(|row| row["p_adjusted"].as_f64() >= row["change"]["p"].as_f64())
    );
}

#[test]
fn resolving_the_contradictions_flips_verdicts_in_their_sections_alone() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_study(here, 60, "");
    done(here, &["run", "--config", "study.toml"]);
    let (before, asked) = (tables(&here.join("run")), journal(here).len());

    let spec = done(
        here,
        &[
            "sim",
            "spec",
            "--config",
            "study.toml",
            "--resolve",
            "all",
            "--json",
        ],
    )
    .json();
    std::fs::write(here.join("new.md"), text(&spec, "markdown")).unwrap();
    let planted: BTreeSet<&str> = spec["contradictions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|pair| pair.as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();

    let judge = [
        "judge",
        "--spec",
        "new.md",
        "run",
        "--config",
        "study.toml",
        "--json",
    ];
    let found = done(here, &judge).json();
    assert_eq!(found["simulated"], true);
    // The run is as it was, and only judges were asked.
    assert_eq!(
        differences(&before, &tables(&here.join("run"))),
        Vec::<String>::new()
    );
    let made = found["calls_made"].as_u64().unwrap();
    assert_eq!(made, (journal(here).len() - asked) as u64);
    let judged =
        found["all"]["before"]["of"].as_u64().unwrap() + found["all"]["dropped"].as_u64().unwrap();
    assert!(
        made >= judged && made <= 3 * judged + 3 * judged / 10,
        "{made} calls for {judged} answers"
    );

    flips_are_of(&planted, &found);

    // Once more: nothing is asked, and the same is said.
    let beside = files(&here.join(text(&found, "tables")));
    assert!(!beside.is_empty());
    let again = done(here, &judge).json();
    assert_eq!(again["calls_made"], 0);
    assert_eq!(again["flips"], found["flips"]);
    assert_eq!(
        differences(&beside, &files(&here.join(text(&found, "tables")))),
        Vec::<String>::new()
    );

    let shown = done(
        here,
        &[
            "judge",
            "--spec",
            "new.md",
            "run",
            "--config",
            "study.toml",
            "--quotes",
            "1",
        ],
    )
    .stdout;
    for part in [
        "no real model was asked",
        "all answers",
        "p (Holm)",
        "becomes",
        "0 new calls, all to judges",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_cannot_be_judged_again_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    call(here, &["judge", "--spec", "new.md", "run"])
        .refused(2, &["run is not a run directory", "specstress run"]);
    write_study(here, 3, "");
    done(here, &["run", "--config", "study.toml"]);
    let judge = |spec: &str| {
        call(
            here,
            &["judge", "--spec", spec, "run", "--config", "study.toml"],
        )
    };
    judge("none.md").refused(2, &["none.md"]);
    std::fs::write(here.join("empty.md"), " \n").unwrap();
    judge("empty.md").refused(2, &["empty.md", "no text"]);
    let own = done(here, &["sim", "spec", "--config", "study.toml"]).stdout;
    std::fs::write(
        here.join("own.md"),
        own.trim_end_matches('\n').to_owned() + "\n\n",
    )
    .unwrap();
    judge("own.md").refused(2, &["own.md is the spec that run was judged against"]);
    call(here, &["sim", "spec", "--resolve", "be_nice"])
        .refused(2, &["no contradicting clause \"be_nice\"", "_with_"]);
}
