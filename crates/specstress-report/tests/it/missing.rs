use std::error::Error;

use specstress_dataset::TableDir;
use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, ExpressedValuesRow, OutlierRow, PairRow, PositionRow,
    RefusalRow, ResponseRow, ScenarioRow, SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_report::{
    Html, Json, Markdown, Renderer, ReportError, StudyInfo, StudyReport, Text,
};

use crate::fixture::{info, position, spread, tables, verdicts, write};
use crate::html::check;

fn renderings(report: &StudyReport) -> Vec<String> {
    let renderers: [&dyn Renderer; 4] = [
        &Html::default(),
        &Json::default(),
        &Markdown::default(),
        &Text::default(),
    ];
    renderers
        .map(|renderer| renderer.render(report).unwrap())
        .to_vec()
}

#[test]
fn a_run_without_tables_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let report = StudyReport::compute(&TableDir::new(folder.path()), &info()).unwrap();
    let sections: Vec<&str> = report
        .absent
        .iter()
        .map(|row| row.section.as_str())
        .collect();
    assert_eq!(
        sections,
        [
            "coverage",
            "answers",
            "disagreement",
            "selections",
            "outliers",
            "refusals",
            "values",
            "compliance",
            "clauses",
            "judges",
            "topics",
            "sharpest",
        ]
    );
    assert_eq!(
        report.why_absent("values"),
        Some("the stage that writes table expressed_values was not run")
    );
    let pages = renderings(&report);
    check(&pages[0]);
    assert!(
        pages[0].contains("Not in this report: the stage that writes table verdicts was not run.")
    );
    assert!(pages[3].contains("Not in this report: coverage, answers"));
}

#[test]
fn tables_without_rows_are_sections_without_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let tables = TableDir::new(folder.path());
    write::<PairRow>(&tables, vec![]);
    write::<ScenarioRow>(&tables, vec![]);
    write::<EmbeddingRow>(&tables, vec![]);
    write::<SelectionRow>(&tables, vec![]);
    write::<SpectrumRow>(&tables, vec![]);
    write::<ResponseRow>(&tables, vec![]);
    write::<PositionRow>(&tables, vec![]);
    write::<DisagreementRow>(&tables, vec![]);
    write::<OutlierRow>(&tables, vec![]);
    write::<VerdictRow>(&tables, vec![]);
    write::<TopicRow>(&tables, vec![]);
    write::<RefusalRow>(&tables, vec![]);
    write::<ExpressedValuesRow>(&tables, vec![]);
    for info in [info(), StudyInfo::default()] {
        let report = StudyReport::compute(&tables, &info).unwrap();
        assert!(
            report
                .stages
                .iter()
                .all(|stage| stage.items == 0 && stage.answered.share.is_none())
        );
        assert_eq!(report.stages.len(), 9);
        assert_eq!(report.judges.as_ref().unwrap().fleiss.kappa, None);
        assert_eq!(
            report.compliance.as_ref().unwrap().pools[0].all_fail.share,
            None
        );
        assert_eq!(report.sharpest.as_ref().unwrap(), &[]);
        let pages = renderings(&report);
        check(&pages[0]);
        for page in pages {
            assert!(!page.contains("NaN") && !page.contains("inf%"), "{page}");
        }
    }
}

#[test]
fn judged_models_outside_every_subset_leave_the_bins_out() {
    let (_folder, tables) = tables();
    let mut info = info();
    info.subsets.truncate(1);
    let report = StudyReport::compute(&tables, &info).unwrap();
    assert_eq!(report.compliance.as_ref().unwrap().by_disagreement, None);
    assert_eq!(
        report.why_absent("compliance by disagreement"),
        Some("no subset holds exactly the judged models; add one to the study")
    );
    // The subset is still reported, after those the study names.
    let subsets = report.disagreement.unwrap();
    assert_eq!(
        (subsets[1].subset.as_str(), subsets[1].models.len()),
        ("ada_pair", 0)
    );
}

#[test]
fn strangers_in_the_tables_are_shown_by_their_keys() {
    let (_folder, tables) = tables();
    write(&tables, verdicts("s1", "stranger", "PPP"));
    write(&tables, vec![position("s1", "stranger", Some((6, 6)))]);
    let mut info = info();
    info.judged_models.clear();
    let report = StudyReport::compute(&tables, &info).unwrap();
    assert_eq!(
        report.compliance.as_ref().unwrap().by_model[0].model.name,
        "stranger"
    );
    let first = &report.sharpest.as_ref().unwrap()[0];
    assert_eq!(first.answers[3].model.key, "stranger");
    assert_eq!(first.answers[3].model.provider, None);
    check(&Html::default().render(&report).unwrap());
}

#[test]
fn values_out_of_range_are_named() {
    let (_folder, tables) = tables();
    write(
        &tables,
        vec![
            position("s1", "ada_1", Some((2, 2))),
            position("s2", "ada_1", Some((2, 7))),
        ],
    );
    let error = StudyReport::compute(&tables, &info()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table positions, row 2, column value2_position: 7 is not allowed; use 0 to 6"
    );
    write(
        &tables,
        vec![spread("s1", "all_models", 3, Some(4.5), true)],
    );
    let error = StudyReport::compute(&tables, &info()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table disagreement, row 1, column disagreement: 4.5 is not allowed; \
         use a standard deviation of scores from 0 to 6, which lies in 0 to 4.25"
    );
}

#[test]
fn a_table_that_cannot_be_read_is_named_with_its_cause() {
    let (_folder, tables) = tables();
    let path = tables.path::<TopicRow>();
    for file in std::fs::read_dir(path).unwrap() {
        std::fs::write(file.unwrap().path(), b"not parquet").unwrap();
    }
    let error = StudyReport::compute(&tables, &info()).unwrap_err();
    assert!(
        matches!(
            error,
            ReportError::Table {
                table: "topics",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.source().is_some());
}
