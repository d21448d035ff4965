//! What is planted in the simulated world is found, about as well as the measurement allows.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::done;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn mean(priorities: &[Value], of: &str) -> f64 {
    priorities.iter().map(|row| number(&row[of])).sum::<f64>() / priorities.len() as f64
}

/// Clauses that contradict each other, why judges differ, and quotes that judges make up.
fn clauses_are_found(clauses: &Value) {
    let mut table = String::new();
    for (name, key, count, of) in [
        ("clauses, precision", "precision", "found", "planted"),
        (
            "splits, accuracy",
            "split_accuracy",
            "splits_right",
            "splits",
        ),
        (
            "made-up quotes caught",
            "catch_rate",
            "caught",
            "fabricated",
        ),
        (
            "copied quotes not found",
            "false_alarm_rate",
            "false_alarms",
            "honest",
        ),
    ] {
        let _ = writeln!(
            table,
            "{name:<30} {:>8.3} {:>18}",
            number(&clauses[key]),
            format!("({} of {})", clauses[count], clauses[of])
        );
    }
    eprintln!("{table}");
    // Contradicting clauses lead the ranking among hundreds of pairs.
    assert!(number(&clauses["planted"]) >= 10.0, "{table}");
    assert!(
        number(&clauses["ranked"]) >= 10.0 * number(&clauses["planted"]),
        "{table}"
    );
    assert!(number(&clauses["precision"]) >= 0.7, "{table}");
    // Reading and activation are told apart, each of the two.
    assert!(number(&clauses["splits"]) >= 100.0, "{table}");
    assert!(number(&clauses["split_accuracy"]) >= 0.85, "{table}");
    for kind in ["reading_recall", "activation_recall"] {
        assert!(number(&clauses[kind]) >= 0.75, "{kind}: {table}");
    }
    // Quotes that are made up, stolen or turned round are caught; copies with small slips are not.
    assert!(number(&clauses["fabricated"]) >= 100.0, "{table}");
    assert!(number(&clauses["catch_rate"]) >= 0.97, "{table}");
    assert!(number(&clauses["false_alarm_rate"]) <= 0.02, "{table}");
}

#[test]
fn the_study_finds_the_planted_truth() {
    let folder = tempfile::tempdir().unwrap();
    let ended = done(
        folder.path(),
        &["demo", "--pairs", "200", "--dir", "run", "--json"],
    );
    let json = ended.json();
    let recovery = &json["recovery"];
    let conflicts = &recovery["conflicts"];
    let [measured, classifier, perfect] =
        ["measured", "perfect_classifier", "perfect_measurement"].map(|name| &conflicts[name]);

    let mut table = format!(
        "{} questions, {} in a planted conflict\n{:<30} {:>8} {:>18} {:>19}",
        conflicts["questions"],
        conflicts["planted"],
        "D >= 1.5",
        "measured",
        "perfect classifier",
        "perfect measurement"
    );
    // Writing to a String cannot fail.
    for rate in ["precision", "recall"] {
        let _ = writeln!(
            table,
            "{rate:<30} {:>8.3} {:>18.3} {:>19.3}",
            number(&measured[rate]),
            number(&classifier[rate]),
            number(&perfect[rate])
        );
    }
    let priorities = recovery["priorities"].as_array().unwrap();
    for row in priorities {
        let _ = writeln!(
            table,
            "priorities of {:<16} {:>8.3} {:>18} {:>19.3}",
            row["model"].as_str().unwrap(),
            number(&row["measured"]),
            "",
            number(&row["perfect_measurement"])
        );
    }
    let judges = &recovery["judges"];
    let (kappa, known_kappa) = (number(&judges["kappa"]), number(&judges["known_kappa"]));
    let _ = writeln!(
        table,
        "kappa of the judges            {kappa:>8.3} {:>18} {:>19}",
        format!("({known_kappa:.3} known)"),
        "1.000"
    );
    clauses_are_found(&recovery["clauses"]);
    eprintln!("{table}");

    // Enough to speak of rates at all.
    assert!(number(&conflicts["questions"]) >= 450.0, "{table}");
    assert!(number(&conflicts["planted"]) >= 80.0, "{table}");
    assert!(number(&measured["precision"]) >= 0.7, "{table}");
    assert!(number(&measured["recall"]) >= 0.9, "{table}");
    assert!(number(&perfect["precision"]) >= 0.95, "{table}");
    assert!(number(&perfect["recall"]) >= 0.95, "{table}");
    // A classifier with its known error costs little beside the noise of the answers.
    for rate in ["precision", "recall"] {
        let lost = number(&classifier[rate]) - number(&measured[rate]);
        assert!(lost.abs() <= 0.06, "{rate}: {table}");
    }

    assert_eq!(priorities.len(), 12);
    let found = mean(priorities, "measured");
    let possible = mean(priorities, "perfect_measurement");
    assert!(found >= 0.4, "{table}");
    assert!((possible - found).abs() <= 0.08, "{table}");
    for row in priorities {
        let off = number(&row["perfect_measurement"]) - number(&row["measured"]);
        assert!(off.abs() <= 0.2, "{table}");
    }

    assert!(number(&judges["answers"]) >= 1500.0, "{table}");
    assert!((kappa - known_kappa).abs() <= 0.08, "{table}");
    let pairs = judges["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 3);
    for pair in pairs {
        let off = number(&pair["agreement"]) - number(&pair["known_agreement"]);
        assert!(off.abs() <= 0.04, "{pair}");
    }
}
