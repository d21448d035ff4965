//! The published layout to Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use ::arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};

use super::write::{CellOut, Cells, OutputColumn};
use crate::parquet_sink::BatchWriter;
use crate::{DatasetError, Format};

/// Rows of a row group; with twelve answers a row is some 50 KiB.
const GROUP: usize = 512;

#[derive(Debug)]
pub(super) struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    builders: Vec<Builder>,
    buffered: usize,
    writer: BatchWriter,
}

#[derive(Debug)]
enum Builder {
    Integers(Int64Builder),
    Texts(StringBuilder),
}

impl Builder {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integers(builder) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
        }
    }
}

impl ParquetFile {
    pub(super) fn create(path: &Path, columns: &[OutputColumn]) -> Result<Self, DatasetError> {
        let field = |column: &OutputColumn| {
            let kind = if column.field.is_integer() {
                DataType::Int64
            } else {
                DataType::Utf8
            };
            ArrowField::new(&column.name, kind, true)
        };
        let builder = |column: &OutputColumn| {
            if column.field.is_integer() {
                Builder::Integers(Int64Builder::new())
            } else {
                Builder::Texts(StringBuilder::new())
            }
        };
        let schema: SchemaRef =
            Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Ok(Self {
            path: path.to_owned(),
            writer: BatchWriter::create(path, &schema, &[])?,
            schema,
            builders: columns.iter().map(builder).collect(),
            buffered: 0,
        })
    }

    pub(super) fn push(&mut self, cells: &Cells<'_>) -> Result<(), DatasetError> {
        for (builder, cell) in self.builders.iter_mut().zip(&cells.0) {
            match (builder, cell) {
                (Builder::Integers(builder), CellOut::Integer(number)) => {
                    builder.append_option(*number);
                }
                (Builder::Texts(builder), CellOut::Text(text)) => builder.append_option(*text),
                // Both are made from the same columns.
                (Builder::Integers(builder), CellOut::Text(_)) => builder.append_null(),
                (Builder::Texts(builder), CellOut::Integer(_)) => builder.append_null(),
            }
        }
        self.buffered += 1;
        if self.buffered >= GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), DatasetError> {
        if self.buffered > 0 {
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
        self.buffered = 0;
        self.writer.write(&batch)
    }
}
