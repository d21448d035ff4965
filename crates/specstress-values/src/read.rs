use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::nested::Document;
use crate::tree_csv::{self, Named};
use crate::{Place, Taxonomy, ValuesError};

const BUILTIN: &str = include_str!("builtin.json");

/// Readers. Blanks at both ends of names, descriptions and cells are dropped everywhere.
impl Taxonomy {
    /// A small taxonomy for demonstrations and tests: the 5 domains and 26 categories of "Values in the Wild"
    /// (Huang et al. 2025) with 182 leaves of our own in 52 groups, and no percentages.
    ///
    /// It is no substitute for the published 3,307 values when numbers are to be compared with the paper's.
    ///
    /// ```
    /// use specstress_values::Taxonomy;
    ///
    /// let taxonomy = Taxonomy::builtin();
    /// assert_eq!(taxonomy.leaves().len(), 182);
    /// assert_eq!(taxonomy.at_level(2).count(), 26);
    /// ```
    pub fn builtin() -> Self {
        Self::from_json(BUILTIN).expect("a test reads the built-in file")
    }

    /// Reads a tree in the layout of the published `values_tree.csv`, and optionally the frequencies of its leaves in
    /// the layout of `values_frequencies.csv`.
    ///
    /// | file | column | content |
    /// |---|---|---|
    /// | tree | `cluster_id` | unique id; the published leaves have their name here |
    /// | | `name` | not empty; unique among the leaves |
    /// | | `level` | 0 (leaf), 1, 2 or 3 (domain) |
    /// | | `parent_cluster_id` | id of a row one level up; empty at the top level |
    /// | | `description` | may be empty |
    /// | | `pct_total_occurrences` | 0 to 100; may be empty |
    /// | frequencies | `value` | the name of a leaf, at most once |
    /// | | `pct_convos` | 0 to 100; may be empty |
    ///
    /// All columns must be there, in any order; others are ignored. Leaves that the frequency file does not name
    /// have no frequency.
    ///
    /// # Errors
    ///
    /// The first row that breaks a rule, with its line. The rules are tried in this order: cells on their own,
    /// duplicate ids, unknown parents, circles, the frequency file, duplicate leaves, levels, empty groups.
    ///
    /// ```
    /// use specstress_values::Taxonomy;
    ///
    /// let tree = "\
    /// cluster_id,name,level,parent_cluster_id,description,pct_total_occurrences
    /// honesty,honesty,0,g1,,2.5
    /// tact,tact,0,g1,,0.5
    /// g1,Candour,1,,How openly one speaks,3.0
    /// ";
    /// let mut frequencies = "value,pct_convos\nhonesty,4.1\n".as_bytes();
    /// let taxonomy = Taxonomy::from_csv(tree.as_bytes(), Some(&mut frequencies))?;
    /// assert_eq!(taxonomy.leaf("honesty").and_then(|leaf| leaf.frequency), Some(4.1));
    /// assert_eq!(taxonomy.leaf("tact").and_then(|leaf| leaf.frequency), None);
    ///
    /// let error = Taxonomy::from_csv(tree.replace("honesty,0,g1", "honesty,0,g2").as_bytes(), None).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"tree CSV, line 2: the parent "g2" of "honesty" is in no row; add it or correct the id"#,
    /// );
    /// # Ok::<(), specstress_values::ValuesError>(())
    /// ```
    pub fn from_csv(
        tree: impl Read,
        frequencies: Option<&mut dyn Read>,
    ) -> Result<Self, ValuesError> {
        tree_csv::read(
            Named {
                file: "tree CSV",
                reader: tree,
            },
            frequencies.map(|reader| Named {
                file: "frequencies CSV",
                reader,
            }),
        )
    }

    /// [`from_csv`](Self::from_csv) for files; messages name them.
    pub fn from_csv_path(
        tree: impl AsRef<Path>,
        frequencies: Option<&Path>,
    ) -> Result<Self, ValuesError> {
        let tree_name = tree.as_ref().display().to_string();
        let tree = open(tree.as_ref())?;
        let frequencies = match frequencies {
            None => None,
            Some(path) => Some((path.display().to_string(), open(path)?)),
        };
        tree_csv::read(
            Named {
                file: &tree_name,
                reader: tree,
            },
            frequencies
                .as_ref()
                .map(|(file, reader)| Named { file, reader }),
        )
    }

    /// Reads the nested JSON form.
    ///
    /// The top object has one field, `values`, a list. An entry is a string, which is a leaf with that name, or an
    /// object with the fields
    ///
    /// | field | content |
    /// |---|---|
    /// | `name` | not empty; unique among the leaves |
    /// | `description` | optional text |
    /// | `children` | entries below this one; left out or empty for a leaf |
    /// | `percent` | optional share of all value occurrences, 0 to 100 |
    /// | `frequency` | optional share of conversations, 0 to 100 |
    ///
    /// Other fields are errors. Levels follow from depth: all leaves stand equally deep, one to four levels down,
    /// and have level 0.
    ///
    /// ```
    /// use specstress_values::Taxonomy;
    ///
    /// let taxonomy = Taxonomy::from_json(r#"{"values": [
    ///     {"name": "Care", "description": "Attending to others.",
    ///      "children": ["patience", {"name": "kindness", "frequency": 3.2}]},
    ///     {"name": "Truth", "children": ["honesty", "accuracy"]}
    /// ]}"#)?;
    /// assert_eq!(taxonomy.leaves().len(), 4);
    /// assert_eq!(taxonomy.category("honesty").map(|value| value.name.as_str()), Some("Truth"));
    /// # Ok::<(), specstress_values::ValuesError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ValuesError> {
        json("taxonomy JSON", text)
    }

    /// [`from_json`](Self::from_json) for a file; messages name it.
    pub fn from_json_path(path: impl AsRef<Path>) -> Result<Self, ValuesError> {
        json(&path.as_ref().display().to_string(), &text(path.as_ref())?)
    }

    /// Reads the nested form in TOML, the one to write by hand. The fields are those of
    /// [`from_json`](Self::from_json). Needs the feature `toml`.
    ///
    /// ```
    /// use specstress_values::Taxonomy;
    ///
    /// let taxonomy = Taxonomy::from_toml(r#"
    ///     [[values]]
    ///     name = "Care"
    ///     description = "Attending to others."
    ///     children = ["patience", { name = "kindness", frequency = 3.2 }]
    ///
    ///     [[values]]
    ///     name = "Truth"
    ///     children = ["honesty", "accuracy"]
    /// "#)?;
    /// assert_eq!(taxonomy.leaves().len(), 4);
    /// # Ok::<(), specstress_values::ValuesError>(())
    /// ```
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, ValuesError> {
        toml_text("taxonomy TOML", text)
    }

    /// [`from_toml`](Self::from_toml) for a file; messages name it. Needs the feature `toml`.
    #[cfg(feature = "toml")]
    pub fn from_toml_path(path: impl AsRef<Path>) -> Result<Self, ValuesError> {
        toml_text(&path.as_ref().display().to_string(), &text(path.as_ref())?)
    }

    /// Reads a taxonomy file by its ending: `.csv` (a tree without frequencies), `.json`, or `.toml` with the
    /// feature `toml`.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, ValuesError> {
        let path = path.as_ref();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Self::from_csv_path(path, None),
            Some("json") => Self::from_json_path(path),
            #[cfg(feature = "toml")]
            Some("toml") => Self::from_toml_path(path),
            _ => Err(ValuesError::UnknownFormat {
                file: path.display().to_string(),
                known: if cfg!(feature = "toml") {
                    ".csv, .json or .toml"
                } else {
                    ".csv or .json"
                },
            }),
        }
    }

    /// Writes the nested JSON form, indented. [`from_json`](Self::from_json) reads it back to the same tree; values
    /// come parents first, so ids and file order may differ from a taxonomy read from CSV.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&Document::from_taxonomy(self))
            .expect("strings and finite numbers serialize")
    }
}

fn open(path: &Path) -> Result<File, ValuesError> {
    File::open(path).map_err(|source| io(path, source))
}

fn text(path: &Path) -> Result<String, ValuesError> {
    fs::read_to_string(path).map_err(|source| io(path, source))
}

fn io(path: &Path, source: std::io::Error) -> ValuesError {
    ValuesError::Io {
        file: path.display().to_string(),
        source,
    }
}

fn json(file: &str, text: &str) -> Result<Taxonomy, ValuesError> {
    let document: Document = serde_json::from_str(text).map_err(|source| {
        let line = u64::try_from(source.line()).ok();
        syntax(file, line, "a taxonomy in JSON", source)
    })?;
    document.into_taxonomy(file)
}

#[cfg(feature = "toml")]
fn toml_text(file: &str, text: &str) -> Result<Taxonomy, ValuesError> {
    let document: Document = toml::from_str(text).map_err(|source| {
        let before = source.span().and_then(|span| text.get(..span.start));
        let line = before.and_then(|before| u64::try_from(before.matches('\n').count() + 1).ok());
        syntax(file, line, "a taxonomy in TOML", source)
    })?;
    document.into_taxonomy(file)
}

fn syntax(
    file: &str,
    line: Option<u64>,
    format: &'static str,
    source: impl StdError + Send + Sync + 'static,
) -> ValuesError {
    ValuesError::Syntax {
        place: Place::line_of(file, line),
        format,
        source: Box::new(source),
    }
}
