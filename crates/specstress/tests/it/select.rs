//! Thinning out embeddings.

use std::path::Path;

use serde_json::Value;
use specstress_dataset::rows::EmbeddingRow;
use specstress_dataset::{ParquetSink, Sink};
use specstress_llm::OutcomeKind;

use crate::support::{call, done};

const ROWS: usize = 300;
const DIMENSIONS: usize = 24;

/// Groups of points around 60 directions.
fn points() -> Vec<Vec<f32>> {
    let number = |n: usize| ((n * 2_654_435_761) % 1_000_003) as f32 / 1_000_003.0 - 0.5;
    (0..ROWS)
        .map(|row| {
            (0..DIMENSIONS)
                .map(|j| number(row % 60 * 97 + j) + 0.2 * number(row * 131 + j * 7 + 5))
                .collect()
        })
        .collect()
}

fn weights() -> Vec<f64> {
    (0..ROWS)
        .map(|row| 1.5 + ((row * 37) % 100) as f64 / 66.0)
        .collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |x: f64| x * x;
    let terms = a
        .iter()
        .zip(b)
        .map(|(x, y)| square(f64::from(*x) - f64::from(*y)));
    terms.sum::<f64>().sqrt()
}

/// The cover as one would write it first.
fn cover(points: &[Vec<f32>], weights: &[f64], rows: &[usize], radius: f64) -> Vec<usize> {
    let mut order = rows.to_vec();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let mut kept: Vec<usize> = Vec::new();
    for row in order {
        let near = |&k: &usize| weights[row] * distance(&points[row], &points[k]) <= radius;
        if !kept.iter().any(near) {
            kept.push(row);
        }
    }
    kept
}

fn header(descr: &str, shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend_from_slice(format!("{text:<117}\n").as_bytes());
    bytes
}

fn write_npy(path: &Path, points: &[Vec<f32>]) {
    let mut bytes = header("<f4", &format!("({}, {})", points.len(), points[0].len()));
    bytes.extend(points.iter().flatten().flat_map(|x| x.to_le_bytes()));
    std::fs::write(path, bytes).expect("the file is written");
}

fn write_parquet(path: &Path, points: &[Vec<f32>]) {
    let mut sink = Box::new(ParquetSink::create(path).expect("the file is made"));
    for (row, vector) in points.iter().enumerate() {
        sink.push(EmbeddingRow {
            scenario_id: row.to_string(),
            model: "m".to_owned(),
            vector: Some(vector.clone()),
            outcome: OutcomeKind::Answered,
            detail: None,
        })
        .expect("the row is taken");
    }
    sink.finish().expect("the file is written");
}

fn picks(file: &Path) -> Vec<usize> {
    let json: Value =
        serde_json::from_slice(&std::fs::read(file).expect("the output")).expect("it is JSON");
    let picks = json["picks"].as_array().expect("picks");
    let rows = picks
        .iter()
        .map(|pick| pick["row"].as_u64().expect("a row"));
    rows.map(|row| usize::try_from(row).expect("a small number"))
        .collect()
}

#[test]
fn a_cover_is_the_same_from_and_to_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let points = points();
    write_npy(&at("e.npy"), &points);
    write_parquet(&at("e.parquet"), &points);
    let all: Vec<usize> = (0..ROWS).collect();
    let wanted = cover(&points, &[1.0; ROWS], &all, 0.5);
    assert!((20..ROWS).contains(&wanted.len()), "{}", wanted.len());

    for input in ["e.npy", "e.parquet"] {
        let arguments = [
            "select",
            input,
            "--radius",
            "0.5",
            "--verify",
            "--out",
            "kept.json",
        ];
        let said = done(folder.path(), &arguments).stdout;
        assert!(
            said.contains(&format!("kept {} of 300", wanted.len())),
            "{said}"
        );
        assert!(
            said.contains("verified: every point is within 0."),
            "{said}"
        );
        assert!(
            said.contains("verified: no two kept points are within 0.5"),
            "{said}"
        );
        assert_eq!(picks(&at("kept.json")), wanted, "{input}");
    }
    done(
        folder.path(),
        &["select", "e.npy", "--radius", "0.5", "--out", "kept.npy"],
    );
    let mut bytes = header("<i8", &format!("({},)", wanted.len()));
    bytes.extend(wanted.iter().flat_map(|&row| (row as u64).to_le_bytes()));
    assert_eq!(std::fs::read(at("kept.npy")).unwrap(), bytes);
    done(
        folder.path(),
        &[
            "select",
            "e.npy",
            "--radius",
            "0.5",
            "--out",
            "kept.parquet",
        ],
    );
    let rows = specstress_dataset::read_numbers(at("kept.parquet"), "row").unwrap();
    assert_eq!(
        rows,
        wanted.iter().map(|&row| row as f64).collect::<Vec<_>>()
    );
    // The copy of the Parquet file is gone.
    let left = std::fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(
        left,
        [
            "e.npy",
            "e.parquet",
            "kept.json",
            "kept.npy",
            "kept.parquet"
        ]
    );
}

#[test]
fn weights_select_once_more_among_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (points, weights) = (points(), weights());
    write_npy(&at("e.npy"), &points);
    let lines: Vec<String> = weights.iter().map(|weight| format!("x,{weight}")).collect();
    std::fs::write(at("w.csv"), format!("id,d\n{}\n", lines.join("\n"))).unwrap();
    let mut npy = header("<f8", &format!("({ROWS},)"));
    npy.extend(weights.iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(at("w.npy"), npy).unwrap();

    let all: Vec<usize> = (0..ROWS).collect();
    let once = cover(&points, &weights, &all, 1.1);
    for file in ["w.csv:d", "w.npy"] {
        let arguments = [
            "select",
            "e.npy",
            "--weights",
            file,
            "--weighted-radius",
            "1.1",
            "--out",
            "k.json",
        ];
        done(folder.path(), &arguments);
        assert_eq!(picks(&at("k.json")), once, "{file}");
    }
    let mut thinned = cover(&points, &[1.0; ROWS], &all, 0.4);
    thinned.sort_unstable();
    let twice = cover(&points, &weights, &thinned, 1.1);
    assert!(twice.len() < thinned.len() && twice != once);
    let arguments = [
        "select",
        "e.npy",
        "--radius",
        "0.4",
        "--weights",
        "w.csv:d",
        "--weighted-radius",
        "1.1",
        "--verify",
        "--out",
        "k.json",
        "--json",
    ];
    let said = done(folder.path(), &arguments).json();
    assert_eq!(picks(&at("k.json")), twice);
    assert_eq!(said["steps"][0]["kept"], thinned.len());
    assert_eq!(said["steps"][1]["of"], thinned.len());
    assert_eq!(said["steps"][1]["verified"], true);
}

#[test]
fn farthest_first_and_wang_cheng_take_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let points = points();
    write_npy(&at("e.npy"), &points);
    // The textbook loop from row 7.
    let mut wanted = vec![7];
    while wanted.len() < 30 {
        let near = |row: usize| {
            let distances = wanted.iter().map(|&k| distance(&points[row], &points[k]));
            distances.fold(f64::INFINITY, f64::min)
        };
        let next = (0..ROWS).fold(
            0,
            |best, row| if near(row) > near(best) { row } else { best },
        );
        wanted.push(next);
    }
    let arguments = [
        "select",
        "e.npy",
        "--method",
        "farthest-first",
        "--k",
        "30",
        "--start",
        "7",
        "--verify",
        "--out",
        "k.json",
    ];
    let said = done(folder.path(), &arguments).stdout;
    assert!(said.contains("kept 30 of 300 (10.0 %)"), "{said}");
    assert_eq!(picks(&at("k.json")), wanted);

    let both = [
        "select",
        "e.npy",
        "--method",
        "farthest-first",
        "--radius",
        "0.4",
        "--k",
        "9",
    ];
    let arguments = [&both[..], &["--seed", "3", "--verify", "--out", "k.json"]].concat();
    done(folder.path(), &arguments);
    assert_eq!(picks(&at("k.json")).len(), 9);

    std::fs::write(at("w.jsonl"), "{\"weight\": 2.5}\n".repeat(ROWS)).unwrap();
    let arguments = [
        "select",
        "e.npy",
        "--method",
        "wang-cheng",
        "--k",
        "12",
        "--weights",
        "w.jsonl",
        "--metric",
        "cosine",
        "--verify",
        "--out",
        "k.json",
    ];
    done(folder.path(), &arguments);
    assert_eq!(picks(&at("k.json")).len(), 12);
}

#[test]
fn bad_input_is_told_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut points = vec![vec![1.0_f32, 0.5]; 6];
    write_npy(&at("good.npy"), &points);
    points[4] = vec![0.0, 0.0];
    write_npy(&at("zero.npy"), &points);
    points[4] = vec![1.0, f32::NAN];
    write_npy(&at("nan.npy"), &points);
    points[4] = vec![f32::INFINITY, 0.0];
    write_npy(&at("inf.npy"), &points);
    points[4] = vec![1.0];
    write_parquet(&at("ragged.parquet"), &points);
    write_parquet(&at("empty.parquet"), &[]);
    std::fs::write(at("empty.npy"), header("<f4", "(0, 2)")).unwrap();
    std::fs::write(at("whole.npy"), header("<i4", "(6, 2)")).unwrap();
    std::fs::write(at("negative.csv"), "weight\n1\n1\n-2\n1\n1\n1\n").unwrap();
    std::fs::write(at("nan.csv"), "weight\n1\n1\nnan\n1\n1\n1\n").unwrap();
    std::fs::write(at("word.csv"), "weight\n1\nmuch\n1\n1\n1\n1\n").unwrap();
    std::fs::write(at("few.csv"), "weight\n1\n").unwrap();
    for (arguments, parts) in [
        ("nan.npy --radius 1", &["row 4, column 1 is NaN"][..]),
        ("inf.npy --radius 1", &["row 4, column 0 is inf"]),
        (
            "zero.npy --radius 1 --metric cosine",
            &["row 4 is all zeros"],
        ),
        (
            "ragged.parquet --radius 1",
            &["row 5", "`vector`", "2, as in row 1"],
        ),
        ("empty.parquet --radius 1", &["holds 0 vectors"]),
        ("empty.npy --radius 1", &["0 x 2"]),
        ("whole.npy --radius 1", &["<i4", "<f4"]),
        ("missing.npy --radius 1", &["missing.npy"]),
        ("good.txt --radius 1", &["good.txt", ".npy or .parquet"]),
        ("good.npy --radius 0", &["radius 0", "above 0"]),
        ("good.npy --radius -1", &["-1"]),
        ("good.npy", &["--radius"]),
        ("good.npy --radius 1 --k 3", &["--method farthest-first"]),
        ("good.npy --method farthest-first", &["--k"]),
        (
            "good.npy --method farthest-first --k 7",
            &["7 centres of 6 points"],
        ),
        (
            "good.npy --method farthest-first --k 0",
            &["0 centres of 6 points"],
        ),
        (
            "good.npy --method wang-cheng --k 7",
            &["7 centres of 6 points"],
        ),
        (
            "good.npy --method farthest-first --k 2 --start 6",
            &["row 6 of 6"],
        ),
        ("good.npy --radius 1 --seed 3", &["--seed"]),
        (
            "good.npy --weights negative.csv --weighted-radius 1",
            &["row 2 is -2"],
        ),
        (
            "good.npy --weights nan.csv --weighted-radius 1",
            &["row 2 is NaN"],
        ),
        (
            "good.npy --weights word.csv --weighted-radius 1",
            &["row 2", "line 3", "much"],
        ),
        (
            "good.npy --weights few.csv --weighted-radius 1",
            &["1 weights for 6 points"],
        ),
        (
            "good.npy --weights few.csv:d --weighted-radius 1",
            &["no column `d`", "weight"],
        ),
        (
            "good.npy --weights few.csv --radius 1",
            &["--weighted-radius"],
        ),
        ("good.npy --weighted-radius 1", &["--weights"]),
    ] {
        let mut command = vec!["select", "--out", "kept.json"];
        command.extend(arguments.split(' '));
        call(folder.path(), &command).refused(2, parts);
        assert!(!at("kept.json").exists(), "{arguments}");
    }
    let arguments = ["select", "good.npy", "--radius", "1", "--out", "kept.txt"];
    call(folder.path(), &arguments).refused(2, &["kept.txt", ".json, .parquet or .npy"]);
}
