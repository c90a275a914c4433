//! The journal: what earlier runs have written to an output folder.
//!
//! Before a file gets its name, a line tells what is about to be there (`intended`), and is brought
//! to the disk; once it has the name, another says so (`made`). The first holds the size and the
//! modification time that the file will have, so that after a crash at any moment a file is either
//! vouched for or not ours. A file is ours if it is as it was made, or as it was to be made after
//! that.

use std::borrow::Cow;
use std::collections::{HashMap, hash_map};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::partition::Partition;
use crate::pipeline::file_state::FileState;
use crate::pipeline::lock::{ATTEMPTS, try_lock, try_lock_shared};
use crate::pipeline::paths::is_file_at;
use crate::report::PathText;

/// Name of the journal within the output folder. Every run holds its lock: one by itself alone,
/// partitions together.
pub(super) const NAME: &str = ".audiostretchy.jsonl";
/// Name of the folder of the partitions' journals within the output folder.
pub(super) const PARTITIONS: &str = ".audiostretchy";

/// The longest line that is read, in bytes: more than any path and its states can take.
const MAX_LINE: u64 = 1 << 20;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // Never more than one at a time.
enum Record<'a> {
    /// What is about to be at an output's place.
    Intended(Cow<'a, Entry>),
    /// What was intended for these places, relative to the output folder, is there now.
    Made(Vec<PathText>),
}

/// A line of versions that wrote a single one for each file.
#[derive(Debug, Deserialize)]
struct OldRecord {
    output: PathText,
    output_state: FileState,
    #[serde(flatten)]
    from: MadeFrom,
}

/// One file that was written, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Relative to the output folder.
    pub(super) output: PathText,
    pub(super) output_state: FileState,
    /// SHA-256 of the output, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output_sha256: Option<String>,
    /// What audio was made from; `None` for a file beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<MadeFrom>,
}

/// All that audio was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MadeFrom {
    /// Relative to `input` if there is one; else from the root.
    pub(super) source: PathText,
    /// The input folder that the source was found in, from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<PathText>,
    pub(super) source_state: FileState,
    /// SHA-256 of the source, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source_sha256: Option<String>,
    /// The text files beside the source whose times are moved too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) beside: Vec<Beside>,
    /// The outputs of all chapters but the first, relative to the output folder, where the source
    /// was split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<PathText>,
    /// Of all settings that act on the file, and of the engine's version.
    pub(super) fingerprint: String,
}

impl MadeFrom {
    /// Returns what was written beside the output, relative to the output folder: other chapters and
    /// text files.
    pub(super) fn others(&self) -> impl Iterator<Item = &PathText> {
        let texts = self
            .beside
            .iter()
            .filter_map(|beside| beside.output.as_ref());
        texts.chain(&self.parts)
    }
}

/// A text file beside a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beside {
    /// Its name.
    pub(super) name: PathText,
    pub(super) state: FileState,
    /// SHA-256, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Its counterpart beside the output, relative to the output folder, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<PathText>,
}

impl From<OldRecord> for Entry {
    fn from(old: OldRecord) -> Self {
        Self {
            output: old.output,
            output_state: old.output_state,
            output_sha256: None,
            from: Some(old.from),
        }
    }
}

/// All that is known of one file in an output folder.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// How it was made last.
    pub(super) made: Option<Entry>,
    /// What was to take its place after that, oldest first: runs that were killed, or that could
    /// not give it its name, leave more than one.
    pub(super) intended: Vec<Entry>,
}

/// What was known of an output folder when its journal was read.
#[derive(Debug, Default)]
pub(super) struct Journal {
    folder: PathBuf,
    files: HashMap<PathBuf, Lines>,
}

impl Journal {
    /// Reads the journal of a folder; an empty one if there is none.
    ///
    /// Lines that cannot be read, such as a last one torn by a crash, are passed over: their
    /// outputs count as unknown.
    ///
    /// # Errors
    /// Returns an error if the file is there and cannot be read.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        Self::read_with(folder, None)
    }

    /// As [`read`](Self::read), with the journal that is open and locked here, by its path: not every
    /// system lets a locked file be read through another handle.
    fn read_with(folder: &Path, own: Option<(&Path, &File)>) -> io::Result<Self> {
        let mut journal = Self::empty(folder);
        let of_partitions = partition_journals(folder)?;
        for path in [folder.join(NAME)].into_iter().chain(of_partitions) {
            if let Some((own, mut file)) = own
                && own == path
            {
                file.rewind()?;
                journal.merge(Self::read_from(folder, file)?);
                continue;
            }
            match open(&path, OpenOptions::new().read(true)) {
                Ok(file) => journal.merge(Self::read_from(folder, &file)?),
                // No folder yet, or none there can be: that is told when it is to be made.
                Err(error) if is_not_there(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(journal)
    }

    /// Adds what another journal of the folder tells. Of what both have made, that counts which is
    /// there now.
    fn merge(&mut self, other: Self) {
        if self.files.is_empty() {
            self.files = other.files;
            return;
        }
        for (output, lines) in other.files {
            match self.files.entry(output) {
                hash_map::Entry::Vacant(entry) => _ = entry.insert(lines),
                hash_map::Entry::Occupied(mut entry) => {
                    let path = self.folder.join(entry.key());
                    let is_there = |made: &Entry| {
                        let found = path.symlink_metadata();
                        found.is_ok_and(|found| made.output_state.is_still((&found).into()))
                    };
                    let known = entry.get_mut();
                    if !known.made.as_ref().is_some_and(is_there) {
                        known.made = lines.made.or(known.made.take());
                    }
                    known.intended.extend(lines.intended);
                }
            }
        }
    }

    fn empty(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    fn read_from(folder: &Path, file: &File) -> io::Result<Self> {
        let mut journal = Self::empty(folder);
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        while (&mut file).take(MAX_LINE).read_until(b'\n', &mut line)? > 0 {
            if line.last() != Some(&b'\n') {
                // Torn, or endless.
                file.skip_until(b'\n')?;
            } else if let Ok(record) = serde_json::from_slice(&line) {
                journal.add(record);
            } else if let Ok(old) = serde_json::from_slice::<OldRecord>(&line) {
                let made = Record::Made(vec![old.output.clone()]);
                journal.add(Record::Intended(Cow::Owned(old.into())));
                journal.add(made);
            }
            line.clear();
        }
        Ok(journal)
    }

    fn add(&mut self, record: Record<'_>) {
        match record {
            // Whoever can write to the folder can write lines: none leads out of it.
            Record::Intended(entry) if !is_below(&entry.output.to_path()) => {}
            Record::Intended(entry) => {
                let lines = self.files.entry(entry.output.to_path()).or_default();
                lines.intended.push(entry.into_owned());
            }
            Record::Made(outputs) => {
                for output in outputs {
                    if let Some(lines) = self.files.get_mut(&output.to_path())
                        && let Some(entry) = lines.intended.pop()
                    {
                        lines.intended.clear();
                        lines.made = Some(entry);
                    }
                }
            }
        }
    }

    /// Returns whether nothing has been written yet.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// All files that something is known of.
    pub(super) fn files(&self) -> impl Iterator<Item = (PathBuf, &Lines)> {
        (self.files.iter()).map(|(path, lines)| (self.path_of(path), lines))
    }

    /// What is known of an output, whose path begins with the folder's.
    pub(super) fn find(&self, output: &Path) -> Option<&Lines> {
        self.files.get(output.strip_prefix(&self.folder).ok()?)
    }

    /// Returns the path of an output that is given relative to the folder.
    pub(super) fn path_of(&self, output: &Path) -> PathBuf {
        self.folder.join(output)
    }
}

/// The journal of a folder, or of a partition in it, open for writing: no other run can open it.
#[derive(Debug)]
pub(super) struct JournalFile {
    folder: PathBuf,
    path: PathBuf,
    file: Mutex<File>,
    /// Locks that partitions share, held for as long as this lives.
    _shared: Vec<File>,
    is_new: bool,
    is_locked: bool,
    /// Whether the file system tells which file has a name; some number theirs anew each time.
    can_be_told: bool,
}

impl JournalFile {
    /// Opens, or creates, the journal of a folder, or that of a partition, locks it, and reads what
    /// all journals of the folder hold.
    ///
    /// # Errors
    /// `WouldBlock` if another run has it; else where it cannot be opened.
    pub(super) fn open(folder: &Path, partition: Option<Partition>) -> io::Result<(Self, Journal)> {
        let (path, shared) = match partition {
            None => (folder.join(NAME), Vec::new()),
            Some(partition) => {
                let name = format!("journal.{}.jsonl", partition.in_names());
                let shared = share(folder, partition.count())?;
                (folder.join(PARTITIONS).join(name), shared)
            }
        };
        let (file, is_new, is_locked) = open_locked(&path, try_lock)?;
        let mut this = Self {
            folder: folder.to_owned(),
            can_be_told: is_file_at(&file, &path),
            path,
            file: Mutex::new(file),
            _shared: shared,
            is_new,
            is_locked,
        };
        let file = this.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        end_with_a_whole_line(file)?;
        let journal = Journal::read_with(folder, Some((&this.path, file)))?;
        Ok((this, journal))
    }

    /// Returns whether other runs are kept out; not every file system can do that.
    pub(super) fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Removes the file again if it was not there before and nothing was written to it.
    pub(super) fn remove_if_unused(self) {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_new && file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Returns whether the file still has its name; it has not if somebody removed or replaced it,
    /// or the folder.
    pub(super) fn is_in_place(&self) -> bool {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        !self.can_be_told || is_file_at(&file, &self.path)
    }

    /// A path relative to the folder.
    pub(super) fn relative(&self, output: &Path) -> PathText {
        output.strip_prefix(&self.folder).unwrap_or(output).into()
    }

    /// Records what is about to be written, on the disk.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be written.
    pub(super) fn intend(&self, entries: &[Entry]) -> io::Result<()> {
        let mut lines = Vec::new();
        for entry in entries {
            append_line(&mut lines, &Record::Intended(Cow::Borrowed(entry)))?;
        }
        self.write(&lines, File::sync_data)
    }

    /// Records that what was intended is there; if a crash loses that, nothing is lost.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be written.
    pub(super) fn made(&self, entries: &[Entry]) -> io::Result<()> {
        let mut line = Vec::new();
        let outputs = entries.iter().map(|entry| entry.output.clone()).collect();
        append_line(&mut line, &Record::Made(outputs))?;
        self.write(&line, |_| Ok(()))
    }

    fn write(&self, lines: &[u8], sync: fn(&File) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Not opened for appending: Windows could not cut such a file.
        let written = (file.seek(SeekFrom::End(0)))
            .and_then(|_| file.write_all(lines))
            .and_then(|()| sync(&file));
        if written.is_err() {
            // Part of it may be there, as where the disk is full; the next must not follow that.
            let _ = end_with_a_whole_line(&mut file);
        }
        written
    }
}

/// Returns whether a path, relative to a folder, leads to something in it.
fn is_below(path: &Path) -> bool {
    let mut components = path.components();
    components.all(|component| matches!(component, Component::Normal(_)))
}

fn append_line(lines: &mut Vec<u8>, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, record)?;
    lines.push(b'\n');
    Ok(())
}

/// Returns the journals of partitions in a folder.
fn partition_journals(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.join(PARTITIONS).read_dir() {
        Ok(entries) => entries,
        Err(error) if is_not_there(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut journals = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b"journal.") && name.ends_with(b".jsonl") {
            journals.push(entry.path());
        }
    }
    journals.sort();
    Ok(journals)
}

fn is_not_there(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

/// Takes the locks that all partitions of a folder share, of which there are `count`: that of the
/// folder, which keeps out runs without partitions, and one that keeps out others of another count.
///
/// # Errors
/// `WouldBlock` if a run has one of them that does not share it.
fn share(folder: &Path, count: u64) -> io::Result<Vec<File>> {
    let (whole, ..) = open_locked(&folder.join(NAME), try_lock_shared)?;
    let partitions = folder.join(PARTITIONS);
    if partitions
        .symlink_metadata()
        .is_ok_and(|found| !found.is_dir())
    {
        let message = format!("{PARTITIONS} is a link, or no folder; take it out of the folder");
        return Err(io::Error::other(message));
    }
    std::fs::create_dir_all(&partitions)?;
    let own = format!("of-{count}.lock");
    let (of_count, ..) = open_locked(&partitions.join(&own), try_lock_shared)?;
    for entry in partitions.read_dir()? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("of-") && name.ends_with(".lock") && name != own.as_str() {
            // Held for a moment, to see whether another has it.
            open_locked(&partitions.join(&*name), try_lock)?;
        }
    }
    Ok(vec![whole, of_count])
}

/// Opens or creates a file and locks it; returns with it whether it is new, and whether the file
/// system has locks.
///
/// # Errors
/// `WouldBlock` if another run has it; else where it cannot be opened.
fn open_locked(path: &Path, lock: fn(&File) -> io::Result<bool>) -> io::Result<(File, bool, bool)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let is_new = path.symlink_metadata().is_err();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open(path, &mut options)?;
        let is_locked = lock(&file)?;
        // A run that was refused may have removed the file just before we had the lock.
        if is_file_at(&file, path) || attempts == ATTEMPTS {
            return Ok((file, is_new, is_locked));
        }
    }
}

/// Opens a journal or a lock, which must be a file of the folder's own: through a link we would write
/// to a file elsewhere, and a pipe would keep us waiting.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if (path.symlink_metadata()).is_ok_and(|metadata| !metadata.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let message = format!("{name} is a link, or no file; take it out of the folder");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(folder: &Path, name: &str, content: &str) -> Entry {
        std::fs::write(folder.join(name), content).unwrap();
        let metadata = folder.join(name).metadata().unwrap();
        Entry {
            output: name.into(),
            output_state: (&metadata).into(),
            output_sha256: None,
            from: None,
        }
    }

    fn lines(folder: &Path, name: &str) -> (Option<u64>, Option<u64>) {
        let journal = Journal::read(folder).unwrap();
        let size = |entry: Option<&Entry>| Some(entry?.output_state.size());
        let lines = journal.find(&folder.join(name));
        lines.map_or((None, None), |lines| {
            (size(lines.made.as_ref()), size(lines.intended.last()))
        })
    }

    #[test]
    fn what_was_intended_is_told_from_what_was_made() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let (journal, _) = JournalFile::open(folder, None).unwrap();
        let [first, second] = ["1", "22"].map(|content| entry(folder, "a", content));
        journal.intend(std::slice::from_ref(&first)).unwrap();
        assert_eq!(lines(folder, "a"), (None, Some(1)));
        journal.made(&[first]).unwrap();
        assert_eq!(lines(folder, "a"), (Some(1), None));
        journal.intend(&[second]).unwrap();
        assert_eq!(lines(folder, "a"), (Some(1), Some(2)));
        assert_eq!(lines(folder, "b"), (None, None));
    }

    #[test]
    fn a_torn_or_endless_line_is_passed_over() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let entry = entry(folder, "a", "1");
        let (journal, _) = JournalFile::open(folder, None).unwrap();
        journal.intend(&[entry]).unwrap();
        drop(journal);
        let path = folder.join(NAME);
        let whole = std::fs::read(&path).unwrap();
        let endless = vec![b' '; MAX_LINE as usize + 5];
        std::fs::write(&path, [&endless, &b"\n"[..], &whole].concat()).unwrap();
        assert_eq!(lines(folder, "a"), (None, Some(1)));
        for torn in [whole.len() - 1, whole.len() / 2, 1] {
            std::fs::write(&path, [&whole[..], &whole[..torn]].concat()).unwrap();
            assert_eq!(lines(folder, "a"), (None, Some(1)));
            JournalFile::open(folder, None).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn a_line_of_before_lines_told_what_was_intended_counts_as_made() {
        let temp = tempfile::tempdir().unwrap();
        let old = r#"{"output":"a","output_state":{"size":7,"mtime_ns":5},"source":"/in/a",
            "source_state":{"size":1,"mtime_ns":2},"sidecars":[{"size":1,"mtime_ns":2}],
            "fingerprint":"f"}"#;
        std::fs::write(temp.path().join(NAME), old.replace('\n', "") + "\n").unwrap();
        assert_eq!(lines(temp.path(), "a"), (Some(7), None));
    }

    #[test]
    fn no_line_leads_out_of_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("out");
        std::fs::create_dir(&folder).unwrap();
        let (journal, _) = JournalFile::open(&folder, None).unwrap();
        for output in ["../a", "/etc/passwd", "b/../../a", "./b"] {
            std::fs::write(temp.path().join("a"), "1").unwrap();
            let mut entry = entry(temp.path(), "a", "1");
            entry.output = output.into();
            journal.intend(&[entry.clone()]).unwrap();
            journal.made(&[entry]).unwrap();
        }
        assert!(Journal::read(&folder).unwrap().is_empty());
    }

    #[test]
    fn two_runs_cannot_share_a_journal() {
        let temp = tempfile::tempdir().unwrap();
        let first = JournalFile::open(temp.path(), None).unwrap();
        let second = JournalFile::open(temp.path(), None).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        JournalFile::open(temp.path(), None).unwrap();
    }

    #[test]
    fn a_journal_that_was_not_there_goes_again_unless_something_was_written() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        JournalFile::open(folder, None)
            .unwrap()
            .0
            .remove_if_unused();
        assert!(!folder.join(NAME).exists());
        let (journal, _) = JournalFile::open(folder, None).unwrap();
        journal.intend(&[entry(folder, "a", "1")]).unwrap();
        journal.remove_if_unused();
        assert!(folder.join(NAME).exists());
        assert!(JournalFile::open(folder, None).unwrap().0.is_in_place());
    }
}
