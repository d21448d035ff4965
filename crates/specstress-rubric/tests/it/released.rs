//! The spectra of the published data set, where a copy is at hand.

use std::path::Path;

use serde_json::{Value, json};
use specstress_rubric::{Position, parse_spectra};
use specstress_values::ValuePair;

#[test]
fn all_released_spectra_pass_as_replies() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/stress_dataset/spectra_370.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let mut read = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let value = |key: &str| row[key].as_str().unwrap();
        let pair = ValuePair::new(value("value1"), value("value2"));
        let reply = json!({
            "value_pair": {"value1": pair.value1, "value2": pair.value2},
            "value1_bias_spectrum": row["value1_bias_spectrum"],
            "value2_bias_spectrum": row["value2_bias_spectrum"],
        });
        let spectra = parse_spectra(&format!("```json\n{reply:#}\n```"), &pair).unwrap();
        for (at, position) in Position::all().enumerate() {
            let expected = row["value2_bias_spectrum"][at]["response"]
                .as_str()
                .unwrap();
            assert_eq!(spectra.value2.strategy(position), expected.trim());
        }
        read += 1;
    }
    assert_eq!(read, 370);
}
