//! One module per command.

pub(crate) mod agree;
pub(crate) mod analyze;
pub(crate) mod convert;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod judge;
pub(crate) mod labels;
pub(crate) mod models;
pub(crate) mod plan;
pub(crate) mod rank;
pub(crate) mod report;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod sim;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod taxonomy;
pub(crate) mod why;
