//! The part of a plan that one of several machines carries out.

use std::fmt;
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

/// One of several parts into which files are divided by their paths, so that each of several
/// machines takes its own without asking the others.
///
/// A file belongs to partition `1 + h % count`, where `h` is the first eight bytes of the SHA-256
/// of its path, as a big-endian number. The path is relative to its INPUT, or as it stands in a
/// list, with `/` between its parts. This never changes.
///
/// ```
/// use audiostretchy::batch::Partition;
///
/// let third: Partition = "3/64".parse()?;
/// assert_eq!((third.number(), third.count()), (3, 64));
/// assert_eq!(Partition::number_of("2024/a.mp3".as_ref(), 64), 40);
/// # Ok::<(), audiostretchy::batch::PartitionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    number: u64,
    count: u64,
}

/// What was given is no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// It is not written as a partition.
    #[error("it must be K/N, such as 3/64, or auto/N")]
    Syntax,
    /// Partitions are counted from 1.
    #[error("partitions count from 1 to N; for indexes from 0: K = index + 1")]
    FromZero,
    /// There are fewer partitions.
    #[error("there are {count} partitions, and this would be number {number}")]
    Beyond {
        /// The number given.
        number: u64,
        /// How many there are.
        count: u64,
    },
    /// No variable tells the number.
    #[error("auto needs one of {}, which a scheduler sets", names())]
    NoVariable,
    /// A variable does not hold a number.
    #[error("{name} is {value:?}, which is no number")]
    BadVariable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

/// Variables in which schedulers tell a task its index, and the index of the first.
const VARIABLES: [(&str, u64); 4] = [
    ("SLURM_ARRAY_TASK_ID", 0),
    ("JOB_COMPLETION_INDEX", 0),
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0),
    ("CI_NODE_INDEX", 1),
];

fn names() -> String {
    VARIABLES.map(|(name, _)| name).join(", ")
}

impl Partition {
    /// The partition `number`, from 1, of `count`.
    ///
    /// # Errors
    /// Returns an error if there is none of that number.
    pub fn new(number: u64, count: u64) -> Result<Self, PartitionError> {
        match number {
            0 => Err(PartitionError::FromZero),
            _ if number > count => Err(PartitionError::Beyond { number, count }),
            _ => Ok(Self { number, count }),
        }
    }

    /// The partition of `count` whose number a scheduler tells in a variable: Slurm's arrays,
    /// Kubernetes' Indexed Jobs, AWS Batch's array jobs, GitLab's parallel jobs.
    ///
    /// How many there are is never guessed: an array of a few tasks that are to be run again says
    /// that there are only these.
    ///
    /// # Errors
    /// Returns an error if none of the variables is set, or the number is no partition's.
    pub fn from_environment(
        count: u64,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, PartitionError> {
        let found = VARIABLES
            .into_iter()
            .find_map(|(name, first)| Some((name, first, variable(name)?)));
        let (name, first, value) = found.ok_or(PartitionError::NoVariable)?;
        let index: u64 = value
            .trim()
            .parse()
            .map_err(|_| PartitionError::BadVariable { name, value })?;
        let is_slurm = name.starts_with("SLURM");
        let counts_from_one =
            first == 1 || is_slurm && variable("SLURM_ARRAY_TASK_MIN").as_deref() == Some("1");
        Self::new(index + u64::from(!counts_from_one), count)
    }

    /// Its number, from 1.
    pub fn number(self) -> u64 {
        self.number
    }

    /// How many partitions there are.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Returns the number, from 1, of the partition of `count` that a path belongs to.
    pub fn number_of(path: &Path, count: u64) -> u64 {
        let mut hash = Sha256::new();
        let names = path.components().filter_map(|component| match component {
            Component::CurDir | Component::RootDir => None,
            other => Some(other.as_os_str().as_encoded_bytes()),
        });
        if path.has_root() {
            hash.update("/");
        }
        for (number, name) in names.enumerate() {
            if number > 0 {
                hash.update("/");
            }
            hash.update(name);
        }
        let hash = hash.finalize();
        let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
        1 + u64::from_be_bytes(*first) % count
    }

    /// Returns whether a path belongs to this partition.
    pub(super) fn has(self, path: &Path) -> bool {
        Self::number_of(path, self.count) == self.number
    }

    /// Returns what stands for the partition in names of files: `3-of-64`.
    pub fn in_names(self) -> String {
        format!("{}-of-{}", self.number, self.count)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.number, self.count)
    }
}

impl std::str::FromStr for Partition {
    type Err = PartitionError;

    /// Reads `K/N`, or `auto/N`, for which variables of the environment are looked at.
    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (number, count) = text.split_once('/').ok_or(PartitionError::Syntax)?;
        let digits = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<u64>().ok().filter(|_| is_plain);
            number.ok_or(PartitionError::Syntax)
        };
        let count = digits(count)?;
        match number {
            "auto" => Self::from_environment(count, |name| std::env::var(name).ok()),
            number => Self::new(digits(number)?, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_path_belongs_never_changes() {
        for (path, numbers) in [
            ("a.mp3", [3, 55, 319]),
            ("2024/a.mp3", [4, 40, 352]),
            ("2024/01/episode 1.m4a", [3, 39, 119]),
            ("é/日本.flac", [4, 4, 860]),
            ("/data/a.wav", [4, 4, 364]),
        ] {
            let found = [4, 64, 1000].map(|count| Partition::number_of(path.as_ref(), count));
            assert_eq!(found, numbers, "{path}");
        }
        let number_of = |path: &str| Partition::number_of(path.as_ref(), 1000);
        assert_eq!(number_of("./2024/a.mp3"), number_of("2024/a.mp3"));
    }

    #[test]
    fn partitions_are_of_about_the_same_size() {
        let paths: Vec<String> = (0..1_000_000)
            .map(|number| format!("shows/{}/episode {number}.mp3", number % 977))
            .collect();
        let hashes: Vec<u64> = paths
            .iter()
            .map(|path| Partition::number_of(path.as_ref(), u64::MAX) - 1)
            .collect();
        // The count by which the largest may be above the mean: four standard deviations.
        for count in [4u64, 64, 1000] {
            let mut sizes = vec![0u32; count as usize];
            for hash in &hashes {
                sizes[(hash % count) as usize] += 1;
            }
            let mean = 1e6 / count as f64;
            let largest = f64::from(*sizes.iter().max().unwrap());
            assert!(
                largest < mean + 4.5 * mean.sqrt(),
                "{count}: {largest} of {mean}"
            );
        }
    }

    #[test]
    fn schedulers_tell_the_number_in_their_variables() {
        let of = |variables: &[(&str, &str)]| {
            Partition::from_environment(8, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
            .map(Partition::number)
        };
        assert_eq!(of(&[("SLURM_ARRAY_TASK_ID", "0")]), Ok(1));
        let from_one = [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_MIN", "1")];
        assert_eq!(of(&from_one), Ok(5));
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "7")]), Ok(8));
        assert_eq!(of(&[("AWS_BATCH_JOB_ARRAY_INDEX", "3")]), Ok(4));
        assert_eq!(of(&[("CI_NODE_INDEX", "8")]), Ok(8));
        assert_eq!(of(&[]), Err(PartitionError::NoVariable));
        assert!(matches!(
            of(&[("JOB_COMPLETION_INDEX", "x")]),
            Err(PartitionError::BadVariable { .. })
        ));
        let beyond = PartitionError::Beyond {
            number: 9,
            count: 8,
        };
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "8")]), Err(beyond));
    }

    #[test]
    fn partitions_are_read_strictly() {
        let read = |text: &str| text.parse::<Partition>();
        assert_eq!(read("3/64"), Partition::new(3, 64));
        assert_eq!(read("0/4"), Err(PartitionError::FromZero));
        assert!(matches!(read("5/4"), Err(PartitionError::Beyond { .. })));
        for text in ["", "3", "3/", "/4", "-1/4", "+1/4", "1/4/2", "a/4", "1.5/4"] {
            assert_eq!(read(text), Err(PartitionError::Syntax), "{text}");
        }
        assert!(read("1/0").is_err());
    }
}
