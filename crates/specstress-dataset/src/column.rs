use std::fmt;

/// What a column of a table holds. Each is one Arrow type and one Parquet type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// UTF-8 text; also every enumeration, by its stored name.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number from 0 to 255.
    UInt8,
    /// A whole number from 0 to 4294967295.
    UInt32,
    /// A whole number from 0 to 18446744073709551615.
    UInt64,
    /// A finite 64-bit float.
    Float64,
    /// A list of texts; in CSV a JSON array in the cell.
    TextList,
    /// A list of finite 32-bit floats; in CSV a JSON array in the cell.
    Float32List,
}

impl ColumnType {
    /// What a cell of this type may hold, as it is said in error messages.
    pub(crate) fn allowed(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "true or false",
            Self::UInt8 => "a whole number from 0 to 255",
            Self::UInt32 => "a whole number from 0 to 4294967295",
            Self::UInt64 => "a whole number from 0 to 18446744073709551615",
            Self::Float64 => "a finite number",
            Self::TextList => "a JSON array of texts",
            Self::Float32List => "a JSON array of finite numbers",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Bool => "bool",
            Self::UInt8 => "uint8",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Float64 => "float64",
            Self::TextList => "list<text>",
            Self::Float32List => "list<float32>",
        })
    }
}

/// One column of a table's schema.
///
/// ```
/// use specstress_dataset::{Column, ColumnType};
///
/// const WEIGHT: Column = Column::optional("weight", ColumnType::Float64);
/// assert_eq!(WEIGHT.to_string(), "weight: float64, may be missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name, equal to the serde name of the row's field.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether a cell may be missing: null in Parquet and JSONL, empty in CSV, `None` in Rust.
    pub nullable: bool,
}

impl Column {
    /// A column with a value in every row.
    pub const fn required(name: &'static str, kind: ColumnType) -> Self {
        Self {
            name,
            kind,
            nullable: false,
        }
    }

    /// A column whose cells may be missing.
    pub const fn optional(name: &'static str, kind: ColumnType) -> Self {
        Self {
            name,
            kind,
            nullable: true,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        if self.nullable {
            f.write_str(", may be missing")?;
        }
        Ok(())
    }
}
