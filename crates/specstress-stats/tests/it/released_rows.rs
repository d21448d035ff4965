use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    Bins, DisagreementParams, OutlierParams, OutlierReading, SampleStd, disagreement, outliers,
};

const MODELS: [&str; 12] = [
    "claude_3_5_sonnet",
    "claude_3_7_sonnet",
    "claude_opus_3",
    "claude_opus_4",
    "claude_sonnet_4",
    "gemini_2_5_pro",
    "gpt_4_1",
    "gpt_4_1_mini",
    "gpt_4o",
    "grok_4",
    "o3",
    "o4_mini",
];

/// The nine rows with their expected figures; `None`, said aloud, where the data is absent.
fn rows() -> Option<(Vec<Array2<u8>>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stress_dataset");
    let table = folder.join("stress_rows.csv");
    if !table.exists() {
        eprintln!("skipped: the released rows are not at shared/data/stress_dataset");
        return None;
    }
    let mut reader = csv::Reader::from_path(table).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column: HashMap<&str, usize> = headers.iter().enumerate().map(|(i, h)| (h, i)).collect();
    let scores = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            Array2::from_shape_fn((12, 2), |(model, value)| {
                let name = format!("{}_value{}_position", MODELS[model], value + 1);
                record[column[name.as_str()]].parse().unwrap()
            })
        })
        .collect();
    let text = std::fs::read_to_string(folder.join("stress_rows_expected.json")).unwrap();
    Some((scores, serde_json::from_str(&text).unwrap()))
}

fn index(model: &Value) -> usize {
    let name = model.as_str().unwrap();
    MODELS.iter().position(|m| *m == name).unwrap()
}

fn close(found: Option<f64>, expected: &Value) {
    let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-9, "{found} vs {expected}");
}

#[test]
fn disagreement_of_all_six_subsets_matches() {
    let Some((rows, expected)) = rows() else {
        return;
    };
    assert_eq!(rows.len(), 9);
    let subsets = expected["definitions"]["subsets"].as_object().unwrap();
    assert_eq!(subsets.len(), 6);
    for (scores, row) in rows.iter().zip(expected["rows"].as_array().unwrap()) {
        for (name, models) in subsets {
            let subset: Vec<usize> = models.as_array().unwrap().iter().map(index).collect();
            let wanted = &row["subsets"][name];
            let population =
                disagreement(scores.view(), Some(&subset), &DisagreementParams::default()).unwrap();
            let sample = DisagreementParams::new(SampleStd);
            let sample = disagreement(scores.view(), Some(&subset), &sample).unwrap();
            close(population.per_value[0], &wanted["pop_std_value1"]);
            close(population.per_value[1], &wanted["pop_std_value2"]);
            close(population.max, &wanted["disagreement_pop"]);
            close(sample.per_value[0], &wanted["sample_std_value1"]);
            close(sample.per_value[1], &wanted["sample_std_value2"]);
            close(sample.max, &wanted["disagreement_sample"]);
            assert_eq!(Value::from(population.high), wanted["high_pop"]);
            assert_eq!(Value::from(sample.high), wanted["high_sample"]);
            assert_eq!(Value::from(population.n), wanted["n"]);
            if name == "openai_models" {
                let bins = Bins::default();
                let bin = bins.of(&population).and_then(|bin| bins.name(bin));
                assert_eq!(Value::from(bin.unwrap()), row["std_bin_openai_pop"]);
            }
        }
    }
}

#[test]
fn outliers_match_under_all_three_readings() {
    let Some((rows, expected)) = rows() else {
        return;
    };
    let readings = [
        (OutlierReading::Either, "either_value_per_pair"),
        (OutlierReading::Same, "same_value"),
        (OutlierReading::Both, "both_values_per_pair"),
    ];
    for (scores, row) in rows.iter().zip(expected["rows"].as_array().unwrap()) {
        for (reading, key) in readings {
            let params = OutlierParams::default().reading(reading);
            let found = outliers(scores.view(), None, &params).unwrap();
            let mut wanted: Vec<usize> = row["outliers"][key]
                .as_array()
                .unwrap()
                .iter()
                .map(index)
                .collect();
            wanted.sort_unstable();
            assert_eq!(found.flagged().collect::<Vec<_>>(), wanted, "{key}");
            for model in &found.models {
                let counts = &row["outlier_counts"][MODELS[model.model]];
                assert_eq!(Value::from(model.per_value[0]), counts["value1"]);
                assert_eq!(Value::from(model.per_value[1]), counts["value2"]);
                assert_eq!(Value::from(model.either), counts["either"]);
                assert_eq!(Value::from(model.both), counts["both"]);
                assert_eq!(model.comparable, 11);
            }
        }
    }
}
