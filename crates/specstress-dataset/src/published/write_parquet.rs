//! Rows of cells to Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::arrow::array::{ArrayRef, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::write_cells::{CellKind, CellOut};
use crate::parquet_sink::BatchWriter;
use crate::{DatasetError, Format};

/// Rows of a row group at most.
const ROWS: usize = 16_384;

/// Bytes of text after which a row group ends; with twelve answers a row is some 50 KiB. Small groups make a file slow
/// to read, large ones take memory to write.
const BYTES: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
    writer: BatchWriter,
}

#[derive(Debug)]
enum Builder {
    Integers(Int64Builder),
    Numbers(Float64Builder),
    Texts(StringBuilder),
}

impl Builder {
    fn new(kind: CellKind) -> Self {
        match kind {
            CellKind::Integer => Self::Integers(Int64Builder::new()),
            CellKind::Number => Self::Numbers(Float64Builder::new()),
            CellKind::Text => Self::Texts(StringBuilder::new()),
        }
    }

    /// Takes a cell and returns the size of its text.
    fn push(&mut self, cell: &CellOut<'_>) -> usize {
        match (self, cell) {
            (Self::Integers(builder), CellOut::Integer(number)) => builder.append_option(*number),
            (Self::Numbers(builder), CellOut::Number(number)) => builder.append_option(*number),
            (Self::Texts(builder), CellOut::Text(text)) => {
                builder.append_option(text.as_deref());
                return text.as_ref().map_or(0, |text| text.len());
            }
            // Both are made from the same columns.
            (Self::Integers(builder), _) => builder.append_null(),
            (Self::Numbers(builder), _) => builder.append_null(),
            (Self::Texts(builder), _) => builder.append_null(),
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integers(builder) => Arc::new(builder.finish()),
            Self::Numbers(builder) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
        }
    }
}

impl ParquetFile {
    pub(super) fn create(
        path: &Path,
        columns: &[(String, CellKind)],
    ) -> Result<Self, DatasetError> {
        let field = |(name, kind): &(String, CellKind)| {
            let kind = match kind {
                CellKind::Integer => DataType::Int64,
                CellKind::Number => DataType::Float64,
                CellKind::Text => DataType::Utf8,
            };
            Field::new(name, kind, true)
        };
        let schema: SchemaRef =
            Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Ok(Self {
            path: path.to_owned(),
            writer: BatchWriter::create(path, &schema, &[])?,
            schema,
            builders: columns
                .iter()
                .map(|(_, kind)| Builder::new(*kind))
                .collect(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) fn push(&mut self, cells: &[CellOut<'_>]) -> Result<(), DatasetError> {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            self.bytes += builder.push(cell);
        }
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), DatasetError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer.finish()
    }

    fn write_group(&mut self) -> Result<(), DatasetError> {
        let arrays = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| {
            self.writer.abandon();
            DatasetError::Corrupt {
                path: self.path.clone(),
                format: Format::Parquet,
                source: error.into(),
            }
        })?;
        (self.rows, self.bytes) = (0, 0);
        self.writer.write(&batch)
    }
}
