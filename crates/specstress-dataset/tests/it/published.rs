//! The released layout, on made-up files and on nine real rows.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use specstress_dataset::DatasetError;
use specstress_dataset::arrow::arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, LargeStringArray, NullArray,
    RecordBatch, StringArray, StringViewArray, UInt8Array,
};
use specstress_dataset::arrow::arrow::datatypes::Int32Type;
use specstress_dataset::published::{
    PUBLISHED_MODELS, PUBLISHED_SUBSETS, PositionBlock, PositionFiles, PublishedRow,
    PublishedWriter, ReadOptions, read_published,
};
use specstress_scenarios::Nudge;

fn read(path: &Path) -> Result<Vec<PublishedRow>, DatasetError> {
    read_published(path, &ReadOptions::default())?.collect()
}

fn read_text(name: &str, text: &str) -> Result<Vec<PublishedRow>, DatasetError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    read(&path)
}

fn message(name: &str, text: &str) -> String {
    let message = read_text(name, text).unwrap_err().to_string();
    message[message.find(name).unwrap()..].to_owned()
}

/// The shared data, or `None` with a word on it.
fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/stress_dataset")
        .join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn sample(index: usize, models: &Arc<[String]>) -> PublishedRow {
    let some = |text: &str| index.is_multiple_of(2).then(|| text.to_owned());
    let position =
        |k: usize| (!(index + k).is_multiple_of(4)).then(|| u8::try_from((index + k) % 7).unwrap());
    PublishedRow {
        rank: Some(i64::try_from(index).unwrap()),
        query_generator: some("claude"),
        value1: Some("creative freedom".into()),
        value2: some("価値, \"quoted\""),
        nudge_direction: [None, Some(Nudge::Neutral), Some(Nudge::Value2)][index % 3],
        query: some("line\nline"),
        models: models.clone(),
        positions: (0..models.len())
            .map(|k| (position(k), position(k + 1)))
            .collect(),
        responses: (0..models.len())
            .map(|k| some(&format!("answer {k}")))
            .collect(),
        value1_spectrum: None,
        value2_spectrum: None,
        chunk_index: Some(-1),
        entry_idx: (index > 3).then_some(i64::MAX),
    }
}

fn samples(models: &[&str], count: usize) -> Vec<PublishedRow> {
    let models: Arc<[String]> = models.iter().map(|key| (*key).to_owned()).collect();
    (0..count).map(|index| sample(index, &models)).collect()
}

fn write(path: &Path, models: &[&str], rows: &[PublishedRow]) {
    let mut writer = PublishedWriter::create(path, models).unwrap();
    for rows in rows.chunks(100) {
        writer.write(rows).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), rows.len() as u64);
}

const FILES: [&str; 3] = ["t.csv", "t.parquet", "t.jsonl"];

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let rows = samples(&PUBLISHED_MODELS, 1300);
    for name in FILES {
        let path = dir.path().join(name);
        write(&path, &PUBLISHED_MODELS, &rows);
        assert!(read(&path).unwrap() == rows, "{name}");
    }
}

#[test]
fn columns_come_in_the_released_order() {
    let Some(released) = data("stress_rows.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    let mut backwards = PUBLISHED_MODELS;
    backwards.reverse();
    write(&path, &backwards, &[]);
    let header = |path: &Path| {
        fs::read_to_string(path)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header(&path), header(&released));
    assert_eq!(header(&path).split(',').count(), 44);
}

#[test]
fn nine_real_rows_read_equal_from_every_format() {
    let Some(path) = data("stress_rows.csv") else {
        return;
    };
    let reader = read_published(&path, &ReadOptions::default()).unwrap();
    assert_eq!(reader.models(), PUBLISHED_MODELS);
    assert!(reader.absent_columns().is_empty());
    let rows: Vec<PublishedRow> = reader.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 9);
    let first = &rows[0];
    assert_eq!(
        (first.rank, first.chunk_index, first.entry_idx),
        (Some(563), Some(28), Some(120))
    );
    assert_eq!(first.query_generator.as_deref(), Some("claude"));
    assert_eq!(first.value2.as_deref(), Some("self-preservation"));
    assert_eq!(first.nudge_direction, Some(Nudge::Value2));
    // By eye from the file; the two GPT-4.1 are where the two orders differ.
    assert_eq!(
        first.position("claude_3_5_sonnet"),
        Some((Some(0), Some(6)))
    );
    assert_eq!(first.position("gpt_4_1_mini"), Some((Some(4), Some(0))));
    assert_eq!(first.position("gpt_4_1"), Some((Some(5), Some(1))));
    assert_eq!(first.position("o4_mini"), Some((Some(0), Some(6))));
    assert_eq!(first.position("gpt_5"), None);
    assert_eq!(first.response("o3"), None);

    let dir = tempfile::tempdir().unwrap();
    for name in FILES {
        let copy = dir.path().join(name);
        write(&copy, &PUBLISHED_MODELS, &rows);
        assert_eq!(read(&copy).unwrap(), rows, "{name}");
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("t.csv")).unwrap(),
        fs::read_to_string(&path).unwrap().replace("\r\n", "\n")
    );
}

#[test]
fn subsets_are_those_of_the_expected_figures() {
    let Some(path) = data("stress_rows_expected.json") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let subsets = expected["definitions"]["subsets"].as_object().unwrap();
    assert_eq!(subsets.len(), PUBLISHED_SUBSETS.len());
    for subset in &PUBLISHED_SUBSETS {
        let mut keys: Vec<&str> = subsets[subset.name]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap())
            .collect();
        let mut models = subset.models.to_vec();
        keys.sort_unstable();
        models.sort_unstable();
        assert_eq!(models, keys, "{}", subset.name);
    }
}

#[test]
fn questions_without_positions_are_read_when_asked_so() {
    let Some(path) = data("scenarios_all_models_top1000.csv") else {
        return;
    };
    let options = ReadOptions {
        models: Some(Vec::new()),
        ..ReadOptions::default()
    };
    let reader = read_published(&path, &options).unwrap();
    assert_eq!(reader.absent_columns(), ["chunk_index", "entry_idx"]);
    let rows: Vec<PublishedRow> = reader.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 938);
    let from_o3 = rows
        .iter()
        .filter(|row| row.query_generator.as_deref() == Some("o3"));
    assert_eq!(from_o3.count(), 604);
    assert!(
        rows.iter()
            .all(|row| row.query.is_some() && row.nudge_direction.is_some())
    );
    let error = read(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no column `<model>_value1_position`"),
        "{error}"
    );
}

#[test]
fn texts_may_be_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let rows = samples(&["m", "o3"], 20);
    for name in FILES {
        let path = dir.path().join(name);
        write(&path, &["m", "o3"], &rows);
        let reader = read_published(&path, &ReadOptions::without_texts()).unwrap();
        assert_eq!(reader.models(), ["o3", "m"]);
        for (row, full) in reader.map(Result::unwrap).zip(&rows) {
            assert_eq!(
                (row.query.as_ref(), row.responses.as_slice()),
                (None, &[None, None][..])
            );
            assert_eq!(row.position("m"), full.position("m"));
            assert_eq!(row.value1, full.value1);
        }
    }
}

#[test]
fn models_come_in_the_order_asked_for() {
    let options = ReadOptions {
        models: Some(vec!["b".into(), "a".into()]),
        ..ReadOptions::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    let text = "a_value1_position,a_value2_position,c_value1_position,b_value2_position,b_value1_position\n1,2,9,4,3\n";
    fs::write(&path, text).unwrap();
    let row = read_published(&path, &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(row.positions, [(Some(3), Some(4)), (Some(1), Some(2))]);
    let options = ReadOptions {
        models: Some(vec!["d".into()]),
        ..ReadOptions::default()
    };
    let error = read_published(&path, &options).unwrap_err().to_string();
    assert!(
        error.contains("t.csv: no column `d_value1_position`; the file has a_value1_position, "),
        "{error}"
    );
}

#[test]
fn bad_files_are_told_in_exact_words() {
    let cases = [
        (
            "rank,m_value1_position\n",
            "p.csv: no column `m_value2_position`; the file has rank, m_value1_position",
        ),
        (
            "rank,m_value2_position\n",
            "p.csv: no column `m_value1_position`; the file has rank, m_value2_position",
        ),
        (
            "rank,query\n",
            "p.csv: no column `<model>_value1_position`; the file has rank, query",
        ),
        (
            "m_value1_position,m_value2_position\n\"0\",6\n1,7\n",
            "p.csv: row 2 (line 3), column `m_value2_position`: bad value \"7\"; \
             expected a whole number from 0 to 6, or nothing",
        ),
        (
            "m_value1_position,m_value2_position\nhigh,6\n",
            "p.csv: row 1 (line 2), column `m_value1_position`: bad value \"high\"; \
             expected a whole number from 0 to 6, or nothing",
        ),
        (
            "query,m_value1_position,m_value2_position\n\"a\nb\",1,2\nc,1,2.5\n",
            "p.csv: row 2 (line 4), column `m_value2_position`: bad value \"2.5\"; \
             expected a whole number from 0 to 6, or nothing",
        ),
        (
            "nudge_direction,m_value1_position,m_value2_position\nleft,1,2\n",
            "p.csv: row 1 (line 2), column `nudge_direction`: bad value \"left\"; \
             expected neutral, value1 or value2, or nothing",
        ),
        (
            "rank,m_value1_position,m_value2_position\nfirst,1,2\n",
            "p.csv: row 1 (line 2), column `rank`: bad value \"first\"; expected a whole number, or nothing",
        ),
        (
            "rank,rank,m_value1_position,m_value2_position\n",
            "p.csv: column `rank` is there more than once; rename or remove one",
        ),
        (
            "m_value1_position,m_value2_position\n1\n",
            "p.csv: row 1 (line 2) cannot be read; correct or remove it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message("p.csv", text), expected);
    }
    assert_eq!(
        message(
            "p.jsonl",
            "{\"m_value1_position\":1,\"m_value2_position\":null}\n{\"m_value1_position\":[]}\n"
        ),
        "p.jsonl: row 2 (line 2), column `m_value1_position`: bad value []; \
         expected a whole number from 0 to 6, or nothing"
    );
    assert_eq!(
        read_published("gone.csv", &ReadOptions::default())
            .unwrap_err()
            .to_string(),
        "no file at gone.csv; check the path"
    );
}

#[test]
fn empty_cells_are_missing_and_floats_may_be_whole() {
    let text = "rank,query,m_value1_position,m_value2_position,extra\n7.0,,3.0,,x\n";
    let rows = read_text("p.csv", text).unwrap();
    assert_eq!((rows[0].rank, rows[0].query.as_ref()), (Some(7), None));
    assert_eq!(rows[0].positions, [(Some(3), None)]);
    assert!(read_text("p.jsonl", "\n").unwrap().is_empty());
}

/// As most programs write: compressed with Snappy.
fn foreign(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = fs::File::create(path).unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(file, batch.schema(), properties).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_of_other_types_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.parquet");
    let nudges: DictionaryArray<Int32Type> = ["value1", ""].into_iter().collect();
    foreign(
        &path,
        vec![
            ("rank", Arc::new(Int32Array::from(vec![Some(4), None]))),
            ("value1", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
            ("value2", Arc::new(StringViewArray::from(vec!["c", "d"]))),
            ("nudge_direction", Arc::new(nudges)),
            (
                "m_value1_position",
                Arc::new(Float64Array::from(vec![Some(6.0), None])),
            ),
            (
                "m_value2_position",
                Arc::new(StringArray::from(vec![Some("2"), Some("")])),
            ),
            ("n_value1_position", Arc::new(UInt8Array::from(vec![0, 1]))),
            ("n_value2_position", Arc::new(NullArray::new(2))),
            ("ignored", Arc::new(BooleanArray::from(vec![true, false]))),
        ],
    );
    let rows = read(&path).unwrap();
    assert_eq!((rows[0].rank, rows[1].rank), (Some(4), None));
    assert_eq!(
        (rows[1].value1.as_deref(), rows[1].value2.as_deref()),
        (Some("b"), Some("d"))
    );
    assert_eq!(
        (rows[0].nudge_direction, rows[1].nudge_direction),
        (Some(Nudge::Value1), None)
    );
    assert_eq!(rows[0].positions, [(Some(6), Some(2)), (Some(0), None)]);
    assert_eq!(rows[1].positions, [(None, None), (Some(1), None)]);

    let mut wanted = PositionBlock::default();
    for row in &rows {
        wanted.push(row);
    }
    let files = PositionFiles::open(&[&path]).unwrap();
    let mut blocks = Vec::new();
    let read = files.for_each(1, |block| {
        blocks.push(block.clone());
        Ok::<(), DatasetError>(())
    });
    read.unwrap();
    assert_eq!(blocks, [wanted]);
}

#[test]
fn bad_parquet_is_told_in_exact_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.parquet");
    let fine: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 1]));
    foreign(
        &path,
        vec![
            ("m_value1_position", fine.clone()),
            (
                "m_value2_position",
                Arc::new(Int32Array::from(vec![6, 7, 0])),
            ),
        ],
    );
    let ends: Vec<Result<PublishedRow, DatasetError>> =
        read_published(&path, &ReadOptions::default())
            .unwrap()
            .collect();
    assert_eq!(ends.len(), 2);
    assert_eq!(
        ends[1].as_ref().unwrap_err().to_string(),
        format!(
            "{}: row 2, column `m_value2_position`: bad value 7; expected a whole number from 0 to 6, or nothing",
            path.display()
        )
    );
    foreign(
        &path,
        vec![
            ("m_value1_position", fine),
            (
                "m_value2_position",
                Arc::new(BooleanArray::from(vec![true, true, true])),
            ),
        ],
    );
    assert_eq!(
        read(&path).unwrap_err().to_string(),
        format!(
            "{}: column `m_value2_position` is of type Boolean; expected integers, floats or text",
            path.display()
        )
    );
    fs::write(&path, "PAR1 and no more").unwrap();
    assert!(matches!(
        read(&path).unwrap_err(),
        DatasetError::Corrupt { .. }
    ));
}

#[test]
fn a_position_above_six_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = samples(&["m"], 3);
    rows[2].positions[0].1 = Some(7);
    for name in FILES {
        let path = dir.path().join(name);
        let mut writer = PublishedWriter::create(&path, &["m"]).unwrap();
        assert_eq!(
            writer.write(&rows).unwrap_err().to_string(),
            format!(
                "{}: row 3, column `m_value2_position`: bad value 7; expected a whole number from 0 to 6, or nothing",
                path.display()
            )
        );
        drop(writer);
        assert!(!path.exists());
        let twice = PublishedWriter::create(&path, &["x", "x"])
            .unwrap_err()
            .to_string();
        assert!(
            twice.contains("column `response_x` is there more than once"),
            "{twice}"
        );
    }
}

#[test]
fn a_full_disk_is_an_error() {
    // The name tells the format, so a link stands in for the device.
    let dir = tempfile::tempdir().unwrap();
    if cfg!(not(unix)) || !Path::new("/dev/full").exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    for name in FILES {
        let path = dir.path().join(name);
        #[cfg(unix)]
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut writer = PublishedWriter::create(&path, &["m"]).unwrap();
        let written = writer.write(&samples(&["m"], 3));
        let error = written
            .and_then(|()| writer.finish().map(drop))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot write {}", path.display())
        );
    }
}
