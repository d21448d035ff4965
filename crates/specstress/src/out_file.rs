//! Files of results: an error on the way, a full disk above all, leaves an older file as it was.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

/// A file that stands beside its final name until it is whole.
///
/// What is there and is no plain file (a device, a pipe, a link such as `/dev/stdout`) is written to in
/// place: putting a file there would take it away from everyone else who uses it.
#[derive(Debug)]
pub(crate) struct OutFile {
    writer: BufWriter<File>,
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl OutFile {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let in_place =
            std::fs::symlink_metadata(path).is_ok_and(|there| !there.file_type().is_file());
        let open = || -> anyhow::Result<(File, Option<PathBuf>)> {
            if in_place {
                let mut options = OpenOptions::new();
                let file = options.write(true).create(true).truncate(true).open(path)?;
                return Ok((file, None));
            }
            let mut name = path
                .file_name()
                .ok_or_else(|| anyhow!("the path names no file"))?
                .to_owned();
            // The number keeps two processes apart.
            name.push(format!(".{}.partial", std::process::id()));
            let temporary = path.with_file_name(name);
            Ok((File::create(&temporary)?, Some(temporary)))
        };
        let (file, temporary) = open().with_context(|| cannot_write(path))?;
        Ok(Self {
            writer: BufWriter::new(file),
            temporary,
            path: path.to_owned(),
        })
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.writer
            .write_all(bytes)
            .with_context(|| cannot_write(&self.path))
    }

    /// Gives the file its name.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let finished = self
            .writer
            .flush()
            .and_then(|()| match self.temporary.take() {
                Some(temporary) => self
                    .writer
                    .get_ref()
                    .sync_all()
                    .and_then(|()| std::fs::rename(&temporary, &self.path))
                    .inspect_err(|_| self.temporary = Some(temporary)),
                None => Ok(()),
            });
        finished.with_context(|| cannot_write(&self.path))
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Half a file is of no use; the error that led here is what the user must hear.
            let _ = std::fs::remove_file(temporary);
        }
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OutFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}
