//! `specstress init`

use std::io::{ErrorKind, Write};

use anyhow::{Context, anyhow};

use crate::cli::InitArgs;
use crate::config::TEMPLATE;
use crate::exit::UsageExt;
use crate::output;

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<()> {
    let path = args.file.display();
    let mut file = match std::fs::File::create_new(&args.file) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(anyhow!("{path} is already there; nothing was written")).usage();
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {path}")),
    };
    file.write_all(TEMPLATE.as_bytes())
        .with_context(|| format!("cannot write {path}"))?;
    output::print(&format!(
        "Wrote {path}. Read it, change what you like, then: specstress run --config {path}"
    ))
}
