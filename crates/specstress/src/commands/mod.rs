//! One module per command.

pub(crate) mod analyze;
pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod models;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod sim;
pub(crate) mod status;
pub(crate) mod taxonomy;
