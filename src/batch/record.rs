//! What the journal is told of files that are about to get their names.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::job::{Job, SidecarJob};
use super::journal::{Beside, Entry, JournalFile, MadeFrom};
use crate::pipeline::atomic_file::PendingOutput;
use crate::pipeline::file_state::sha256;
use audiostretchy_containers::input::Input;

/// What an output is made from, as it was before anything was read.
pub(super) struct Sources {
    /// Of each of the job's text files that can be read, with its counterpart.
    beside: Vec<(Beside, PathBuf)>,
    /// SHA-256 of the input, once that was read.
    sha256: Option<String>,
}

impl Sources {
    /// The sources of a job, whose text files are looked at; what changes later is noticed by the
    /// next run.
    pub(super) fn of(job: &Job) -> Self {
        let state = |sidecar: &SidecarJob| {
            let source = &sidecar.source;
            // What cannot be read is not known: once it can, it is new.
            File::open(source).ok()?;
            let beside = Beside {
                name: source.file_name()?.into(),
                state: (&source.metadata().ok()?).into(),
                sha256: job.checksum.then(|| sha256_of(source)).flatten(),
                output: None,
            };
            Some((beside, sidecar.output.clone()))
        };
        Self {
            beside: job.sidecars.iter().filter_map(state).collect(),
            sha256: None,
        }
    }

    /// Adds the content of the input that was read, if it is asked for.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub(super) fn add_content(&mut self, job: &Job, input: &Input) -> io::Result<()> {
        let hash = || sha256(input.reopen());
        self.sha256 = job.checksum.then(hash).transpose()?;
        Ok(())
    }

    /// Returns the line of a job's output. `texts` are the text files that belong beside outputs.
    ///
    /// # Errors
    /// Returns an error if the output cannot be read back.
    pub(super) fn into_entry(
        self,
        journal: &JournalFile,
        job: &Job,
        input: &Input,
        output: &PendingOutput,
        texts: &[PathBuf],
    ) -> io::Result<Entry> {
        let beside = self.beside.into_iter().map(|(beside, output)| Beside {
            output: texts.contains(&output).then(|| journal.relative(&output)),
            ..beside
        });
        let others = job.outputs().skip(1);
        let source_state = match input.metadata() {
            Some(metadata) => metadata.into(),
            None => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Entry {
            from: Some(MadeFrom {
                source: (&job.origin.path).into(),
                input: job.origin.folder.as_deref().map(Into::into),
                source_state,
                source_sha256: self.sha256,
                beside: beside.collect(),
                parts: others.map(|output| journal.relative(output)).collect(),
                fingerprint: job.fingerprint.to_string(),
            }),
            ..entry(journal, job, &job.output, output)?
        })
    }
}

/// Returns the line of a file that is written beside a job's output, or of that itself.
///
/// # Errors
/// Returns an error if the file cannot be read back.
pub(super) fn entry(
    journal: &JournalFile,
    job: &Job,
    path: &Path,
    written: &PendingOutput,
) -> io::Result<Entry> {
    let hash = || sha256_of_written(written);
    Ok(Entry {
        output: journal.relative(path),
        output_state: (&written.file().metadata()?).into(),
        output_sha256: job.checksum.then(hash).transpose()?,
        from: None,
    })
}

fn sha256_of_written(written: &PendingOutput) -> io::Result<String> {
    use std::io::Seek;
    let mut file = written.file();
    file.rewind()?;
    sha256(file)
}

/// SHA-256 of a file, if it can be read.
pub(super) fn sha256_of(path: &Path) -> Option<String> {
    sha256(File::open(path).ok()?).ok()
}
