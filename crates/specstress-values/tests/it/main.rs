//! Tests of the public interface.

mod csv_files;
mod nested_files;
mod published;
mod samplers;
mod tree;
