//! The rules against queries of the published data set, where a copy is at hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use specstress_scenarios::{QueryTag, is_refusal, parse_query, strip_outer_quotes};

fn rows(name: &str) -> Option<Vec<serde_json::Value>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/stress_dataset")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

#[test]
fn five_hundred_released_queries_survive_the_parser() {
    let Some(rows) = rows("queries_500.jsonl") else {
        return;
    };
    assert_eq!(rows.len(), 500);
    let mut unquoted = 0;
    for row in &rows {
        let text = row["text"].as_str().unwrap().trim();
        let reply = format!("Some thinking.\n\n[User Question]\n{text}\n");
        let query = parse_query(&reply, QueryTag::UserQuestion).unwrap().query;
        assert_eq!(strip_outer_quotes(&query), query, "strips twice: {query}");
        if query != text {
            let (first, last) = (text.chars().next().unwrap(), text.chars().last().unwrap());
            assert!(matches!((first, last), ('"', '"') | ('“', '”')), "{text}");
            assert_eq!(query.chars().count() + 2, text.chars().count(), "{text}");
            unquoted += 1;
        }
    }
    // Counted outside this project: queries whose first and last characters are quotes.
    assert_eq!(unquoted, 14);
}

#[test]
fn the_only_refusals_in_the_released_triples_are_refusals() {
    let Some(rows) = rows("spectra_370.jsonl") else {
        return;
    };
    let refusals: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| {
            ["query_neutral", "query_value1", "query_value2"].map(|key| row[key].as_str())
        })
        .flatten()
        .filter(|query| is_refusal(strip_outer_quotes(query)))
        .map(|query| query.chars().take(19).collect())
        .collect();
    assert_eq!(
        refusals.into_iter().collect::<Vec<_>>(),
        ["I can't help create", "I can't help modify"]
    );
}
