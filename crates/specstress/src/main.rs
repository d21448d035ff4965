//! `specstress` finds the holes in a model spec by measuring where language models disagree.

mod assemble;
mod cli;
mod commands;
mod config;
mod exit;
mod grid;
mod info;
mod journal;
mod models;
mod out_file;
mod output;
mod progress;
mod published_files;
mod recovery;
mod run_rows;
mod session;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Plan(args) => commands::plan::run(&args),
        Command::Cost(args) => commands::cost::run(&args),
        Command::Why(args) => commands::why::run(&args),
        Command::Reparse(args) => commands::rerun::reparse(&args),
        Command::Retry(args) => commands::rerun::retry(&args),
        Command::Join(args) => commands::rerun::join(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Analyze(args) => commands::analyze::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Agree(args) => commands::agree::run(&args),
        Command::Judge(args) => commands::judge::run(&args),
        Command::Rank(args) => commands::rank::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Select(args) => commands::select::run(&args),
        Command::Sample(args) => commands::labels::sample(&args),
        Command::Labels(args) => commands::labels::run(&args),
        Command::Spec(args) => commands::spec::run(&args),
        Command::Taxonomy(args) => commands::taxonomy::run(&args),
        Command::Models(args) => commands::models::run(&args),
        Command::Sim(args) => commands::sim::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
