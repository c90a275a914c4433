//! Runs the fuzz targets of `fuzz/` on their corpora. With `AUDIOSTRETCHY_FUZZ_SECONDS` set, also
//! runs them for that many seconds on randomly damaged copies of the corpora's files. What fuzzing
//! has found is in the corpora, so that every run tests it again.
//!
//! To repeat a run, set `AUDIOSTRETCHY_FUZZ_SEED` to the seed that it printed. If an input ends the
//! whole program, it is left in cargo's folder for temporary files.

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::cell::{Cell, RefCell};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use targets::Target;

thread_local! {
    /// Whether this thread runs targets.
    static IS_FUZZING: Cell<bool> = const { Cell::new(false) };
    /// The message of a panic in our own code on this thread, which a decoder's guard may have
    /// caught.
    static OURS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The folders of the corpora, with the targets that they are for.
const CORPORA: [(&str, &[&str]); 5] = [
    ("media", &["decode", "pipeline", "tags"]),
    ("engine", &["engine", "flac"]),
    ("preset", &["preset"]),
    ("journal", &["journal"]),
    ("sidecar", &["sidecar"]),
];

/// A file's path and content.
type Entry = (PathBuf, Vec<u8>);

/// A corpus and the targets that it is for.
struct Corpus {
    targets: Vec<Target>,
    files: Vec<Entry>,
}

fn corpora() -> Vec<Corpus> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let corpus = |(name, wanted): (&str, &[&str])| {
        let mut files = Vec::new();
        collect(&folder.join(name), &mut files);
        assert!(!files.is_empty(), "{name}");
        files.sort();
        let targets = targets::ALL.into_iter();
        let targets = targets.filter(|(name, _)| wanted.contains(name)).collect();
        Corpus { targets, files }
    };
    CORPORA.map(corpus).into()
}

fn collect(folder: &Path, files: &mut Vec<Entry>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push((path.clone(), fs::read(path).unwrap())),
        }
    }
}

/// Runs a target. Returns an error for a panic in our own code, or for one that nothing caught.
fn run(target: fn(&[u8]), data: &[u8]) -> Result<(), String> {
    OURS.take();
    let result = catch_unwind(AssertUnwindSafe(|| target(data)));
    match (OURS.take(), result) {
        (Some(message), _) => Err(message),
        (None, Err(_)) => Err("a panic of others that was not caught".into()),
        (None, Ok(())) => Ok(()),
    }
}

#[test]
fn no_file_does_harm() {
    // The code of dependencies may panic on damaged files; the decoder turns such a panic into an
    // error of the file.
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or("", |place| place.file());
        let is_ours = !place.contains("/registry/") && !place.starts_with("/rustc/");
        match IS_FUZZING.get() {
            true if is_ours => OURS.set(Some(info.to_string())),
            true => return,
            false => {}
        }
        default(info);
    }));
    IS_FUZZING.set(true);
    let corpora = corpora();
    for corpus in &corpora {
        for ((path, data), (name, target)) in pairs(corpus) {
            if let Err(message) = run(*target, data) {
                panic!("{name} on {}: {message}", path.display());
            }
        }
    }
    let seconds = number("AUDIOSTRETCHY_FUZZ_SECONDS").unwrap_or(0);
    damage(&corpora, Duration::from_secs(seconds));
}

fn pairs(corpus: &Corpus) -> impl Iterator<Item = (&Entry, &Target)> {
    let files = corpus.files.iter();
    files.flat_map(|file| corpus.targets.iter().map(move |target| (file, target)))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// Runs all targets by turns on damaged files.
#[allow(clippy::print_stdout, reason = "how to repeat the run")]
fn damage(corpora: &[Corpus], time: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("AUDIOSTRETCHY_FUZZ_SEED").unwrap_or(now.as_nanos() as u64 | 1);
    let mut random = Random(seed);
    let (started, mut runs) = (Instant::now(), 0);
    // Holds the current input while a target runs, in case it ends the whole program.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-input");
    while started.elapsed() < time {
        for corpus in corpora {
            for (name, target) in &corpus.targets {
                let data = random.damaged(&corpus.files);
                fs::write(&kept, &data).unwrap();
                if let Err(message) = run(*target, &data) {
                    panic!("{name} on {} (seed {seed}): {message}", kept.display());
                }
                runs += 1;
            }
        }
    }
    println!("{runs} damaged files, from seed {seed}");
}

/// A generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    /// Returns a damaged copy of one of the files.
    fn damaged(&mut self, files: &[Entry]) -> Vec<u8> {
        let mut data = files[self.below(files.len())].1.clone();
        for _ in 0..=self.below(6) {
            let at = self.below(data.len());
            let end = at + self.below(data.len() - at).min(64);
            match self.below(6) {
                0 if !data.is_empty() => data[at] ^= 1 << self.below(8),
                1 => self.put_number(&mut data, at),
                2 => drop(data.drain(at..end)),
                3 => {
                    let part = data[at..end].to_vec();
                    let to = self.below(data.len());
                    data.splice(to..to, part);
                }
                4 => data.truncate(at.max(16)),
                // Append the end of another file.
                _ => {
                    let other = &files[self.below(files.len())].1;
                    data.truncate(at);
                    data.extend(&other[self.below(other.len())..]);
                }
            }
        }
        data
    }

    /// Overwrites some bytes with a number that is likely to cause an overflow.
    fn put_number(&mut self, data: &mut [u8], at: usize) {
        const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xffff, u64::MAX >> 1, u64::MAX];
        let number = NUMBERS[self.below(NUMBERS.len())];
        let (little, big) = (number.to_le_bytes(), number.to_be_bytes());
        let len = [1, 2, 4, 8][self.below(4)].min(data.len() - at);
        let bytes = match self.below(2) {
            0 => &little[..len],
            _ => &big[8 - len..],
        };
        data[at..at + len].copy_from_slice(bytes);
    }
}
