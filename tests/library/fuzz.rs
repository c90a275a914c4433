//! The fuzz targets of `fuzz/` over their corpora, and, for `AUDIOSTRETCHY_FUZZ_SECONDS` seconds,
//! over what becomes of these when they are damaged at random. What fuzzing has found is in the
//! corpora, so that it is tried each time.
//!
//! A run can be repeated with the number that it tells as `AUDIOSTRETCHY_FUZZ_SEED`. The input that
//! ended one is left in cargo's folder for temporary files.

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
    /// A panic of our own on it, which a decoder's guard may have caught.
    static OURS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A folder of the corpora, with what they are made for.
const CORPORA: [(&str, &[&str]); 5] = [
    ("media", &["decode", "pipeline", "tags"]),
    ("engine", &["engine"]),
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

/// Runs a target; the error is a panic of ours, or one that nobody has caught.
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
    // Code of others panics on damaged files, which the decoder has to make an error of the file.
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

/// Runs all targets, one after the other, on damaged files.
#[allow(clippy::print_stdout, reason = "how to repeat the run")]
fn damage(corpora: &[Corpus], time: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("AUDIOSTRETCHY_FUZZ_SEED").unwrap_or(now.as_nanos() as u64 | 1);
    let mut random = Random(seed);
    let (started, mut runs) = (Instant::now(), 0);
    // There while it runs, for what ends the whole program.
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

/// Numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    /// One of the files with some damage to it.
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
                // The end of another file.
                _ => {
                    let other = &files[self.below(files.len())].1;
                    data.truncate(at);
                    data.extend(&other[self.below(other.len())..]);
                }
            }
        }
        data
    }

    /// Numbers with which sums overflow.
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
