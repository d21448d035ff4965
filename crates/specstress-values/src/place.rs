use std::fmt;

/// Where in a taxonomy file something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Somewhere in a file; the position is not known.
    File {
        /// The path, or what the text was if it came from a reader.
        file: String,
    },
    /// A line of a file, counted from 1 and including the header, as an editor shows it.
    ///
    /// A CSV record that spans lines is named by its first.
    Line {
        /// The path, or what the text was if it came from a reader.
        file: String,
        /// The line.
        line: u64,
    },
    /// An entry of a nested file, by the names from the top down to it.
    Entry {
        /// The path, or what the text was if it came from a string.
        file: String,
        /// The names, joined by ` > `.
        entry: String,
    },
}

impl Place {
    /// The line if it is known, else the file as a whole.
    pub(crate) fn line_of(file: &str, line: Option<u64>) -> Self {
        let file = file.to_owned();
        match line {
            Some(line) => Self::Line { file, line },
            None => Self::File { file },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file } => f.write_str(file),
            Self::Line { file, line } => write!(f, "{file}, line {line}"),
            Self::Entry { file, entry } => write!(f, "{file}, entry {entry}"),
        }
    }
}
