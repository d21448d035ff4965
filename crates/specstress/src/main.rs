//! `specstress` finds the holes in a model spec by measuring where language models disagree.

mod assemble;
mod cli;
mod commands;
mod config;
mod exit;
mod info;
mod journal;
mod models;
mod out_file;
mod output;
mod progress;
mod recovery;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Analyze(args) => commands::analyze::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Select(args) => commands::select::run(&args),
        Command::Taxonomy(args) => commands::taxonomy::run(&args),
        Command::Models(args) => commands::models::run(&args),
        Command::Sim(args) => commands::sim::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
