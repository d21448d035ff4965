//! Compiled promises about the public types.

use specstress_dataset::published::{
    PublishedReader, PublishedRow, PublishedSubset, PublishedWriter, ReadOptions,
};
use specstress_dataset::rows::PairRow;
use specstress_dataset::{
    Column, ColumnType, CsvSink, CsvSource, DatasetError, Format, JsonlSink, JsonlSource,
    ParquetSink, ParquetSource, Sink, Source, TableDir, TableWriter,
};

fn send<T: Send>() {}
fn send_sync<T: Send + Sync>() {}

#[test]
fn types_cross_threads() {
    send_sync::<(Column, ColumnType, DatasetError, Format, TableDir)>();
    send_sync::<(
        CsvSource<PairRow>,
        JsonlSource<PairRow>,
        ParquetSource<PairRow>,
    )>();
    send_sync::<(PublishedRow, PublishedSubset, ReadOptions)>();
    send::<(CsvSink<PairRow>, JsonlSink<PairRow>, ParquetSink<PairRow>)>();
    send::<(TableWriter<PairRow>, PublishedReader, PublishedWriter)>();
    send::<Box<dyn Sink<PairRow>>>();
    send_sync::<Box<dyn Source<PairRow>>>();
}
