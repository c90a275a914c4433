//! The journal: what earlier runs have written to an output folder, one line a file.
//!
//! A line is written, and brought to the disk, before its output gets its name. It holds the size
//! and the modification time that the output will have, so that after a crash at any moment an
//! output is either vouched for by its line or made again.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::output::parent;
use super::plan::Job;
use crate::media::sidecar;
use crate::report::PathText;

/// Name of the journal within the output folder.
const NAME: &str = ".audiostretchy.jsonl";

/// One output that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Relative to the output folder.
    output: PathText,
    output_state: FileState,
    source: PathText,
    source_state: FileState,
    /// Of the text files beside the source whose times are moved too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sidecars: Vec<FileState>,
    /// SHA-256 of the source, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_sha256: Option<String>,
    /// Of all settings that act on the file, and of the engine's version.
    fingerprint: String,
}

/// What tells that a file has not been touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    size: u64,
    /// Nanoseconds since 1970.
    mtime_ns: i128,
}

impl From<&Metadata> for FileState {
    fn from(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let mtime_ns = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Self {
            size: metadata.len(),
            mtime_ns,
        }
    }
}

impl Entry {
    fn source_is_unchanged(&self, job: &Job) -> bool {
        if job.checksum && self.source_sha256.is_some() {
            return sha256_of(&job.input).ok() == self.source_sha256;
        }
        let metadata = job.input.metadata();
        metadata.is_ok_and(|metadata| self.source_state == FileState::from(&metadata))
    }
}

/// The source's path from the root, where the run has been started in `current_folder`.
fn source_of(job: &Job, current_folder: &Path) -> PathText {
    // To ask for the current folder each time would take longer than all the rest.
    let path = current_folder.join(&job.input);
    let absolute = std::path::absolute(&path);
    absolute.as_deref().unwrap_or(&path).into()
}

/// The states of the text files beside a job's source, if they are kept.
pub(super) fn sidecar_states(job: &Job) -> Vec<FileState> {
    if !job.sidecars {
        return Vec::new();
    }
    let files = sidecar::candidates(&job.input).filter_map(|path| path.metadata().ok());
    let files = files.filter(Metadata::is_file);
    files.map(|metadata| FileState::from(&metadata)).collect()
}

fn current_folder() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

/// What was known of an output folder when it was read.
#[derive(Debug, Default)]
pub(super) struct Journal {
    folder: PathBuf,
    current_folder: PathBuf,
    /// By output, which the entries themselves do not hold here.
    entries: HashMap<PathBuf, Entry>,
    /// By folder, the names without extension, in lower case, of files that may be sidecars: to
    /// ask for every file's would take longer than all the rest.
    sidecars: Mutex<HashMap<PathBuf, Arc<HashSet<OsString>>>>,
}

impl Journal {
    /// Reads the journal of a folder; an empty one if there is none.
    ///
    /// Lines that cannot be read, such as a last one torn by a crash, are passed over: their
    /// outputs count as unknown.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut journal = Self {
            folder: folder.to_owned(),
            current_folder: current_folder(),
            ..Self::default()
        };
        let file = match open(folder, OpenOptions::new().read(true)) {
            Ok(file) => file,
            // No folder yet, or none there can be: that is told when it is to be made.
            Err(error)
                if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]
                    .contains(&error.kind()) =>
            {
                return Ok(journal);
            }
            Err(error) => return Err(error),
        };
        let (mut file, mut line) = (BufReader::new(file), Vec::new());
        while file.read_until(b'\n', &mut line)? > 0 {
            if let Ok(mut entry) = serde_json::from_slice::<Entry>(&line) {
                let output = std::mem::replace(&mut entry.output, PathText::from(""));
                journal.entries.insert(output.to_path(), entry);
            }
            line.clear();
        }
        Ok(journal)
    }

    /// The entry of an output, whose path begins with the folder's.
    pub(super) fn find(&self, output: &Path) -> Option<&Entry> {
        self.entries.get(output.strip_prefix(&self.folder).ok()?)
    }

    /// Whether the output of `entry`, which has this metadata, is what the job would make again.
    pub(super) fn is_up_to_date(&self, entry: &Entry, job: &Job, output: &Metadata) -> bool {
        entry.output_state == output.into()
            && *entry.fingerprint == *job.fingerprint
            && entry.source == source_of(job, &self.current_folder)
            && entry.source_is_unchanged(job)
            && entry.sidecars == self.sidecar_states(job)
    }

    /// As [`sidecar_states`], with each folder read but once.
    fn sidecar_states(&self, job: &Job) -> Vec<FileState> {
        let folder = parent(&job.input);
        let known = {
            let mut folders = self.sidecars.lock().unwrap_or_else(PoisonError::into_inner);
            match folders.get(folder) {
                Some(known) => known.clone(),
                None => {
                    let known = Arc::new(sidecar_stems(folder));
                    folders.insert(folder.to_owned(), known.clone());
                    known
                }
            }
        };
        match job.input.file_stem().map(OsStr::to_ascii_lowercase) {
            Some(stem) if known.contains(&stem) => sidecar_states(job),
            _ => Vec::new(),
        }
    }
}

fn sidecar_stems(folder: &Path) -> HashSet<OsString> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = names.map(|entry| PathBuf::from(entry.file_name()));
    let sidecars = paths.filter(|path| sidecar::may_be_sidecar(path));
    let stems = sidecars.filter_map(|path| path.file_stem().map(OsStr::to_ascii_lowercase));
    stems.collect()
}

/// The journal of a folder, open for writing: no other run can open it.
#[derive(Debug)]
pub(super) struct JournalWriter {
    folder: PathBuf,
    file: Mutex<File>,
}

impl JournalWriter {
    /// Opens, or creates, the journal of a folder and locks it.
    ///
    /// # Errors
    /// `WouldBlock` if another run has it; else where it cannot be opened.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = open(folder, options.read(true).append(true).create(true))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
            TryLockError::Error(error) => error,
        })?;
        end_with_a_whole_line(&mut file)?;
        Ok(Self {
            folder: folder.to_owned(),
            file: Mutex::new(file),
        })
    }

    /// Records that `job`, whose input had the metadata `source` before it was read, and whose text
    /// files beside it the states `sidecars`, is about to put a file with the metadata `output` in
    /// its output's place.
    ///
    /// # Errors
    /// Where the source or the journal cannot be read or written.
    pub(super) fn record(
        &self,
        job: &Job,
        source: &Metadata,
        sidecars: Vec<FileState>,
        output: &Metadata,
    ) -> io::Result<()> {
        let relative = job.output.strip_prefix(&self.folder).unwrap_or(&job.output);
        let entry = Entry {
            output: relative.into(),
            output_state: output.into(),
            source: source_of(job, &current_folder()),
            source_state: source.into(),
            sidecars,
            source_sha256: job.checksum.then(|| sha256_of(&job.input)).transpose()?,
            fingerprint: job.fingerprint.to_string(),
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if written.is_err() {
            // Part of it may be there, as where the disk is full; the next must not follow that.
            let _ = end_with_a_whole_line(&mut file);
        }
        written
    }
}

/// Opens the journal of a folder, which must be a file of that folder's own: through a link we would
/// write to a file elsewhere, and a pipe would keep us waiting.
fn open(folder: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let path = folder.join(NAME);
    if (path.symlink_metadata()).is_ok_and(|metadata| !metadata.is_file()) {
        let message = format!("{NAME} is a link, or no file; take it out of the folder");
        return Err(io::Error::other(message));
    }
    // Nor may it become one now.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    options.open(path)
}

/// Cuts off a last line that a crash has left without its end.
fn end_with_a_whole_line(file: &mut File) -> io::Result<()> {
    let len = file.metadata()?.len();
    let mut end = len;
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|&byte| byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < len { file.set_len(end) } else { Ok(()) }
}

/// A fingerprint of everything that `settings` serialises to.
pub(super) fn fingerprint(settings: &impl Serialize) -> String {
    let json = serde_json::to_vec(settings).expect("settings are plain values");
    let hash = Sha256::digest(json);
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::format::Format;

    fn job(folder: &Path) -> Job {
        let input = folder.join("in.wav");
        std::fs::write(&input, "source").unwrap();
        Job {
            fingerprint: "settings".into(),
            ..Job::new(input, folder.join("out/a/b.wav"), Format::Wav)
        }
    }

    /// Writes the job's output as a run does, and its line.
    fn run(folder: &Path, job: &Job) {
        std::fs::create_dir_all(job.output.parent().unwrap()).unwrap();
        std::fs::write(&job.output, "output").unwrap();
        let metadata = job.output.metadata().unwrap();
        let journal = JournalWriter::open(&folder.join("out")).unwrap();
        let source = job.input.metadata().unwrap();
        let sidecars = sidecar_states(job);
        journal.record(job, &source, sidecars, &metadata).unwrap();
    }

    fn is_up_to_date(folder: &Path, job: &Job) -> bool {
        let journal = Journal::read(&folder.join("out")).unwrap();
        let metadata = job.output.metadata().unwrap();
        let entry = journal.find(&job.output);
        entry.is_some_and(|entry| journal.is_up_to_date(entry, job, &metadata))
    }

    #[test]
    fn an_output_stays_up_to_date_until_source_settings_or_output_change() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let mut job = job(folder);
        run(folder, &job);
        assert!(is_up_to_date(folder, &job));

        job.fingerprint = "others".into();
        assert!(!is_up_to_date(folder, &job));
        job.fingerprint = "settings".into();

        std::fs::write(&job.output, "touched").unwrap();
        assert!(!is_up_to_date(folder, &job));
        run(folder, &job);
        assert!(is_up_to_date(folder, &job));

        std::fs::write(&job.input, "another source").unwrap();
        assert!(!is_up_to_date(folder, &job));
    }

    #[test]
    fn a_text_file_that_comes_changes_or_goes_makes_an_output_out_of_date() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let mut job = job(folder);
        run(folder, &job);
        let text = folder.join("in.SRT");
        std::fs::write(&text, "subtitles").unwrap();
        assert!(is_up_to_date(folder, &job), "they are not kept");
        job.sidecars = true;
        assert!(!is_up_to_date(folder, &job));
        run(folder, &job);
        assert!(is_up_to_date(folder, &job));
        std::fs::write(&text, "other subtitles").unwrap();
        assert!(!is_up_to_date(folder, &job));
        run(folder, &job);
        std::fs::remove_file(&text).unwrap();
        assert!(!is_up_to_date(folder, &job));
    }

    #[test]
    fn a_checksum_sees_through_a_new_modification_time() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let mut job = job(folder);
        job.checksum = true;
        run(folder, &job);
        let file = OpenOptions::new().write(true).open(&job.input).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        assert!(is_up_to_date(folder, &job));
        std::fs::write(&job.input, "sourcE").unwrap();
        assert!(!is_up_to_date(folder, &job));
    }

    #[test]
    fn a_torn_last_line_is_dropped() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let job = job(folder);
        run(folder, &job);
        let path = folder.join("out").join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for torn in [whole.len() - 1, whole.len() / 2, 1] {
            let both = [&whole[..], &whole[..torn]].concat();
            std::fs::write(&path, both).unwrap();
            assert!(is_up_to_date(folder, &job));
            JournalWriter::open(&folder.join("out")).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn two_runs_cannot_share_a_journal() {
        let temp = tempfile::tempdir().unwrap();
        let first = JournalWriter::open(temp.path()).unwrap();
        let second = JournalWriter::open(temp.path()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        JournalWriter::open(temp.path()).unwrap();
    }
}
