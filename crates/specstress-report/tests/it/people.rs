//! People's labels against the machines, by hand.

use specstress_dataset::TableDir;
use specstress_dataset::rows::{LabelSampleRow, PeopleLabelRow, RefusalRow};
use specstress_report::{Html, Markdown, PeopleLabels, Renderer, StudyReport, Text};

use crate::fixture::{HOSTILE, info, position, response, scenario, spread, verdicts, write};

/// Forty questions, two judged answers each; the majority flags the first answer of every other question. People are
/// asked about 30 answers of two strata, flagged and passed, of 20 and 60.
fn tables() -> (tempfile::TempDir, TableDir) {
    let folder = tempfile::tempdir().unwrap();
    let tables = TableDir::new(folder.path());
    let (mut scenarios, mut responses, mut positions, mut spreads, mut votes) =
        (vec![], vec![], vec![], vec![], vec![]);
    let (mut sample, mut labels, mut kinds) = (vec![], vec![], vec![]);
    for question in 0..40_u32 {
        let id = format!("q{question:02}");
        scenarios.push(scenario(Some(&id), question, "neutral", "answered"));
        spreads.push(spread(&id, "ada_pair", 2, Some(0.5), false));
        for model in ["ada_1", "ada_2"] {
            let flagged = model == "ada_1" && question % 2 == 0;
            responses.push(response(&id, model, 0, true));
            votes.extend(verdicts(&id, model, if flagged { "PPC" } else { "CCP" }));
            let drawn = if flagged {
                question < 30
            } else {
                model == "ada_2" && question < 15
            };
            positions.push(position(&id, model, Some((3, 3))));
            kinds.push(RefusalRow {
                scenario_id: id.clone(),
                model: model.to_owned(),
                sample: 0,
                kind: "Full Compliance".parse().ok(),
                outcome: "answered".parse().unwrap(),
                detail: None,
            });
            if !drawn {
                continue;
            }
            let item = format!("{id}/{model}");
            sample.push(LabelSampleRow {
                item: item.clone(),
                scenario_id: id.clone(),
                model: model.to_owned(),
                sample: 0,
                stratum: if flagged { "flagged" } else { "passed" }.to_owned(),
                population: if flagged { 20 } else { 60 },
            });
            // People agree with 12 of 15 flags and with 12 of 15 passes.
            let agree = if flagged {
                question < 24
            } else {
                question < 12
            };
            labels.push(PeopleLabelRow {
                item,
                rater: HOSTILE.to_owned(),
                decision: if flagged == agree {
                    "non-compliant"
                } else {
                    "compliant"
                }
                .parse()
                .ok(),
                value1_position: Some(3),
                value2_position: Some(if flagged { 2 } else { 3 }),
                refusal_kind: None,
                notes: None,
            });
        }
    }
    write(&tables, scenarios);
    write(&tables, responses);
    write(&tables, positions);
    write(&tables, spreads);
    write(&tables, votes);
    write(&tables, kinds);
    write(&tables, sample);
    write(&tables, labels);
    (folder, tables)
}

#[track_caller]
fn close(found: Option<f64>, wanted: f64) {
    let found = found.expect("a number");
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

#[test]
fn every_label_counts_what_it_stands_for() {
    let (_folder, tables) = tables();
    let people = PeopleLabels::compute(&tables, &info()).unwrap().unwrap();
    assert_eq!(
        (people.drawn, people.labelled, people.decided, people.ties),
        (30, 30, 30, 0)
    );
    assert_eq!((people.population, people.uncovered), (80, 0));
    let majority = people.majority.unwrap();
    let counts = [
        majority.both,
        majority.missed,
        majority.false_alarms,
        majority.neither,
    ];
    assert_eq!(counts, [12, 3, 3, 12]);
    // Weights: 20/15 for flags, 60/15 for passes.
    let (flag, pass) = (20.0 / 15.0, 60.0 / 15.0);
    let se = 12.0 * flag / (12.0 * flag + 3.0 * pass);
    let sp = 12.0 * pass / (12.0 * pass + 3.0 * flag);
    close(majority.sensitivity.value, se);
    close(majority.specificity.value, sp);
    close(majority.accuracy.value, 0.8);
    // Judges 1 and 2 are the majority; judge 3 says the opposite.
    close(people.judges[1].sensitivity.value, se);
    close(people.judges[2].accuracy.value, 0.2);

    let all = &people.rates[0];
    close(all.problematic.share, 0.25);
    let truth = (12.0 * flag + 3.0 * pass) / 80.0;
    close(all.by_people.value, truth);
    close(all.corrected.value, truth);
    // The share of all-problematic questions when errors are independent given the truth, multiplied out.
    let (f, p) = (sp / (se + sp - 1.0), (sp - 1.0) / (se + sp - 1.0));
    close(
        all.frequent_corrected.value,
        ((20.0 * f * p + 20.0 * p * p) / 40.0).clamp(0.0, 1.0),
    );
    assert_eq!(all.frequent.count, 0);
    // All questions are in the first bin, and the others say that there is nothing.
    assert_eq!(people.rates[1].by_people, all.by_people);
    assert_eq!(
        (people.rates[2].by_people.value, people.rates[2].by_people.n),
        (None, 0)
    );
    assert_eq!(people.rates[5].bin, Some((2.5, 3.0)));

    // Value 1 always agrees, value 2 for passes only: half a point for each flag.
    close(people.positions.exact.value, (60.0 + 20.0 * 0.5) / 80.0);
    close(people.positions.within_one.value, 1.0);
    close(people.positions.bias.value, 20.0 * 0.5 / 80.0);
    assert_eq!(
        (
            people.refusal_kinds.exact.value,
            people.refusal_kinds.exact.n
        ),
        (None, 0)
    );
    for estimate in [
        majority.sensitivity,
        majority.specificity,
        all.by_people,
        all.corrected,
    ] {
        let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
        assert!(
            low < estimate.value.unwrap() && estimate.value.unwrap() < high,
            "{estimate:?}"
        );
    }
}

#[test]
fn every_form_tells_it_and_no_name_marks_up_the_page() {
    let (_folder, tables) = tables();
    let report = StudyReport::compute(&tables, &info()).unwrap();
    assert_eq!(
        report.people,
        PeopleLabels::compute(&tables, &info()).unwrap()
    );
    let html = Html::default().render(&report).unwrap();
    assert!(html.contains("Judges against people") && !html.contains("<script"));
    let markdown = Markdown::default().render(&report).unwrap();
    assert!(markdown.contains("## People") && !markdown.contains("<script"));
    assert!(markdown.contains("too few labels: 0"));
    let text = Text::default().render(&report).unwrap();
    assert!(
        text.contains("majority sensitivity") && text.contains("25.0% as judged"),
        "{text}"
    );
    let own = text.split_once("\nPeople").unwrap().1;
    assert!(own.lines().all(|line| line.chars().count() <= 78), "{text}");
}

#[test]
fn labels_of_another_draw_are_an_error() {
    let (_folder, tables) = tables();
    write::<LabelSampleRow>(&tables, vec![]);
    let error = PeopleLabels::compute(&tables, &info())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("table people_labels, row 1, column item"),
        "{error}"
    );
    write::<PeopleLabelRow>(&tables, vec![]);
    assert_eq!(PeopleLabels::compute(&tables, &info()).unwrap(), None);
}
