mod charts;
mod page;
mod palette;
mod strip;
mod svg;

pub use page::Html;
