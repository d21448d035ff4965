//! Malformed CSV files, each with its message.

use std::error::Error;
use std::io::Read;

use specstress_values::{Taxonomy, ValuesError};

const HEADER: &str = "cluster_id,description,name,level,parent_cluster_id,pct_total_occurrences";

fn read(tree: &str, frequencies: Option<&str>) -> Result<Taxonomy, ValuesError> {
    match frequencies {
        None => Taxonomy::from_csv(tree.as_bytes(), None),
        Some(text) => {
            Taxonomy::from_csv(tree.as_bytes(), Some(&mut text.as_bytes() as &mut dyn Read))
        }
    }
}

fn message(rows: &str) -> String {
    let tree = format!("{HEADER}\n{rows}");
    read(&tree, None).expect_err("malformed").to_string()
}

fn frequency_message(frequencies: &str) -> String {
    let tree = format!("{HEADER}\nhonesty,,honesty,0,g,1\ntact,,tact,0,g,1\ng,,Candour,1,,2\n");
    read(&tree, Some(frequencies))
        .expect_err("malformed")
        .to_string()
}

#[test]
fn columns_are_found_by_name_and_cells_are_trimmed() {
    let tree = "\u{feff}level,parent_cluster_id,note,name,cluster_id,pct_total_occurrences,description\n\
        0, g ,x, honesty ,honesty,,\n\
        \n\
        1,,x,Candour,g, 2.5 ,\"How openly,\n one speaks\"\n\
        0,g,x,tact,tact,0,\n";
    let taxonomy = read(tree, Some("pct_convos,value\n,tact\n4.5,honesty\n")).expect("valid");
    let honesty = taxonomy.leaf("honesty").expect("there");
    assert_eq!((honesty.percent, honesty.frequency), (None, Some(4.5)));
    let tact = taxonomy.leaf("tact").expect("there");
    assert_eq!((tact.percent, tact.frequency), (Some(0.0), None));
    let group = taxonomy.parent(tact.id).expect("there");
    assert_eq!((group.name.as_str(), group.percent), ("Candour", Some(2.5)));
    assert_eq!(
        group.description.as_deref(),
        Some("How openly,\n one speaks")
    );
    let names: Vec<&str> = taxonomy
        .values()
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    assert_eq!(names, ["honesty", "Candour", "tact"]);
}

#[test]
fn the_header_must_be_there_and_complete() {
    let expected = "tree CSV: the file is empty; the first line must name the columns \
        cluster_id, name, level, parent_cluster_id, description, pct_total_occurrences";
    assert_eq!(read("", None).unwrap_err().to_string(), expected);
    assert_eq!(read("\n\n", None).unwrap_err().to_string(), expected);
    assert_eq!(
        read("cluster_id,name,lvl\n", None).unwrap_err().to_string(),
        r#"tree CSV: no column "level"; the header is "cluster_id,name,lvl", add the column or rename one"#
    );
    assert_eq!(
        read(&format!("{HEADER},name\n"), None)
            .unwrap_err()
            .to_string(),
        r#"tree CSV: two columns are called "name"; rename or remove one"#
    );
    assert_eq!(
        message(""),
        "tree CSV: no leaf value (level 0); a taxonomy needs at least one"
    );
}

#[test]
fn cells_are_checked_with_their_line() {
    assert_eq!(
        message("a,,a,0,,1\nb,,  ,0,,1\n"),
        r#"tree CSV, line 3: "name" is empty; every value needs one"#
    );
    assert_eq!(
        message(",,a,0,,1\n"),
        r#"tree CSV, line 2: "cluster_id" is empty; every value needs one"#
    );
    // The quoted line break makes the second record start on line 4.
    assert_eq!(
        message("a,\"two\nlines\",a,0,,1\nb,,b,4,,1\n"),
        r#"tree CSV, line 4: level "4" is not one of 0 (leaf), 1, 2, 3 (domain)"#
    );
    assert_eq!(
        message("a,,a,,,1\n"),
        r#"tree CSV, line 2: level "" is not one of 0 (leaf), 1, 2, 3 (domain)"#
    );
    for bad in ["many", "-0.1", "100.5", "NaN", "inf", "1e999"] {
        assert_eq!(
            message(&format!("a,,a,0,,{bad}\n")),
            format!(
                "tree CSV, line 2: {bad:?} in \"pct_total_occurrences\" is not a percentage; \
                write a number from 0 to 100, or leave it out"
            )
        );
    }
}

#[test]
fn broken_rows_name_their_line_and_keep_the_cause() {
    let error = read(&format!("{HEADER}\na,,a,0,,1\nb,,b\n"), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tree CSV, line 3: not a CSV file in UTF-8 with equally long rows; the cause says what was found"
    );
    let cause = error.source().expect("kept").to_string();
    assert!(cause.contains("3 fields"), "{cause}");

    let latin = [HEADER.as_bytes(), b"\na,,caf\xe9,0,,1\n"].concat();
    let error = Taxonomy::from_csv(latin.as_slice(), None).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("tree CSV, line 2: not a CSV file in UTF-8"),
        "{error}"
    );
}

#[test]
fn ids_and_leaf_names_are_unique() {
    assert_eq!(
        message("a,,a,0,,1\nb,,b,0,,1\na,,c,0,,1\n"),
        r#"tree CSV, line 4: id "a" was used before, at tree CSV, line 2; give each value its own id"#
    );
    assert_eq!(
        message("a,,care,0,,1\nb,,care,0,,1\n"),
        r#"tree CSV, line 3: the leaf value "care" was named before, at tree CSV, line 2; rename or remove one"#
    );
    // Groups may share a name, with each other and with a leaf; the published tree has both.
    let rows = "a,,care,0,g,1\nb,,tact,0,h,1\ng,,care,1,,1\nh,,care,1,,1\n";
    let taxonomy = read(&format!("{HEADER}\n{rows}"), None).expect("valid");
    assert_eq!(taxonomy.find("care").map(|value| value.level), Some(0));
}

#[test]
fn parents_exist_and_stand_one_level_up() {
    assert_eq!(
        message("a,,a,0,g,1\nb,,b,0,x,1\ng,,G,1,,1\n"),
        r#"tree CSV, line 3: the parent "x" of "b" is in no row; add it or correct the id"#
    );
    assert_eq!(
        message("a,,a,0,g,1\ng,,G,2,,1\n"),
        r#"tree CSV, line 2: "a" is at level 0, so its parent must be at level 1, but "G" is at level 2"#
    );
    assert_eq!(
        message("a,,a,0,g,1\nb,,b,0,,1\ng,,G,1,,1\n"),
        r#"tree CSV, line 3: "b" is at level 0 and has no parent, but the tree goes up to level 1; name its parent"#
    );
    assert_eq!(
        message("a,,a,0,g,1\ng,,G,1,,1\nh,,H,1,,1\n"),
        "tree CSV, line 4: \"H\" is at level 1 but has no values below it; all leaves stand equally deep, \
        at level 0: add values below it or remove it"
    );
    assert_eq!(
        message("g,,G,1,h,1\nh,,H,2,,1\n"),
        "tree CSV: no leaf value (level 0); a taxonomy needs at least one"
    );
}

#[test]
fn circles_are_shown_from_their_first_row() {
    assert_eq!(
        message("a,,a,0,r,1\nr,,R,1,q,1\np,,P,1,r,1\nq,,Q,1,p,1\n"),
        r#"tree CSV, line 3: the parents of "R" lead back to it (R > Q > P > R); cut the circle at one of them"#
    );
    assert_eq!(
        message("a,,a,0,a,1\n"),
        r#"tree CSV, line 2: the parents of "a" lead back to it (a > a); cut the circle at one of them"#
    );
    // Two circles: the walk from "a" meets the later one first.
    assert_eq!(
        message("a,,a,0,z,1\ny,,Y,1,y,1\nz,,Z,1,z,1\n"),
        r#"tree CSV, line 3: the parents of "Y" lead back to it (Y > Y); cut the circle at one of them"#
    );
}

#[test]
fn frequencies_are_for_known_leaves_once_each() {
    assert_eq!(
        frequency_message("value,pct_convos\nhonesty,1\nhonsety,2\n"),
        "frequencies CSV, line 3: a frequency for \"honsety\", which is not a leaf value; \
        did you mean \"honesty\"?"
    );
    assert_eq!(
        frequency_message("value,pct_convos\nCandour,1\n"),
        "frequencies CSV, line 2: a frequency for \"Candour\", which is not a leaf value; \
        check the spelling"
    );
    assert_eq!(
        frequency_message("value,pct_convos\ntact,1\nhonesty,1\ntact,2\n"),
        "frequencies CSV, line 4: \"tact\" has a frequency already, at frequencies CSV, line 2; \
        keep one of the two rows"
    );
    assert_eq!(
        frequency_message("value,pct_convos\ntact,101\n"),
        "frequencies CSV, line 2: \"101\" in \"pct_convos\" is not a percentage; \
        write a number from 0 to 100, or leave it out"
    );
    assert_eq!(
        frequency_message("value,share\ntact,1\n"),
        "frequencies CSV: no column \"pct_convos\"; the header is \"value,share\", add the column or rename one"
    );
    assert_eq!(
        frequency_message(""),
        "frequencies CSV: the file is empty; the first line must name the columns value, pct_convos"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Taxonomy::from_path("no/such/tree.csv").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no/such/tree.csv: cannot be read; check the path and its permissions"
    );
    assert!(error.source().is_some());
    let error = Taxonomy::from_path("tree.xlsx").unwrap_err().to_string();
    assert!(
        error.starts_with("tree.xlsx: unknown kind of taxonomy file; name it .csv"),
        "{error}"
    );
}
