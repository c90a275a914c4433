//! Why a plan cannot be carried out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::left_out::Filtered;
use super::selection::AUDIO_EXTENSIONS;
use audiostretchy_media::format::Format;

/// Why a plan cannot be carried out. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// One of several requests cannot be carried out.
    #[error("job {name}")]
    OfRequest {
        /// The name of the request.
        name: Arc<str>,
        /// Why.
        source: Box<PlanError>,
    },
    /// An input of a request lies in the output folder of another.
    #[error(
        "{}: is written by the job {writer}, and all jobs are planned before any is run; give the \
         sources of that job, or run one after the other",
        path.display()
    )]
    InputIsOutput {
        /// The input.
        path: PathBuf,
        /// The name of the other request.
        writer: Arc<str>,
    },
    /// An input is not there.
    #[error("{}: no such file or folder", path.display())]
    InputMissing {
        /// The input.
        path: PathBuf,
    },
    /// A time map was asked for, and there is more than one file.
    #[error("--time-map is for a single input file and an output file")]
    TimeMapOfMany,
    /// A list of durations has a line for a file that is no input.
    #[error(
        "{}:{line}: {} is none of the inputs; give it as one, or take the line out",
        file.display(),
        path.display()
    )]
    DurationWithoutInput {
        /// The list.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The file that it names.
        path: PathBuf,
    },
    /// A list of durations has two lines for one input.
    #[error(
        "{}:{line}: {} has a duration already, in line {first}; take one of them out",
        file.display(),
        path.display()
    )]
    DurationTwice {
        /// The list.
        file: PathBuf,
        /// The second line, from 1.
        line: u64,
        /// The first line.
        first: u64,
        /// The file that they name.
        path: PathBuf,
    },
    /// A list of durations has no line for an input.
    #[error(
        "{}: no line for {}; add one with its path and its length",
        file.display(),
        input.display()
    )]
    InputWithoutDuration {
        /// The list.
        file: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// An input folder cannot be read.
    #[error("{}: cannot be read", path.display())]
    InputUnreadable {
        /// The input.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An input is a pipe, a device or the like.
    #[error("{}: is neither a file nor a folder; save the audio to a file first", path.display())]
    InputNotAFile {
        /// The input.
        path: PathBuf,
    },
    /// There is not one audio file in the inputs.
    #[error(
        "no audio files found{}{filtered}; known extensions: {}",
        match &inputs[..] {
            [] => ", as the list of files is empty".into(),
            inputs => format!(" in {}", list(inputs, 3)),
        },
        AUDIO_EXTENSIONS.join(" ")
    )]
    NoAudio {
        /// The inputs.
        inputs: Vec<PathBuf>,
        /// What filters have left out.
        filtered: Filtered,
    },
    /// Several inputs need a folder and the output is a file.
    #[error("{}: is a file; give a folder to write several files to", path.display())]
    OutputIsFile {
        /// The output.
        path: PathBuf,
    },
    /// The output of a file is a folder.
    #[error("{}: is a folder where {} is to be written; rename one of them", path.display(), input.display())]
    OutputIsFolder {
        /// The output.
        path: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// The output file's name tells no format.
    #[error(
        "{}: cannot tell a format from that name; end it in {}, name one with --format, or end it \
         in / for a folder",
        path.display(),
        extensions()
    )]
    UnknownOutputFormat {
        /// The output.
        path: PathBuf,
    },
    /// The output file's name and the format asked for disagree.
    #[error("{}: the name says {} and --format says {}; change one of them", path.display(), name.name(), option.name())]
    FormatMismatch {
        /// The output.
        path: PathBuf,
        /// What the name says.
        name: Format,
        /// What the option says.
        option: Format,
    },
    /// Inputs whose own format cannot be written.
    #[error(
        "cannot keep the format of {} {}: {}; choose one to convert to with --format {}, or leave \
         out --strict",
        inputs.len(),
        if inputs.len() == 1 { "file" } else { "files" },
        list(inputs, 5),
        names()
    )]
    CannotKeepFormat {
        /// The inputs.
        inputs: Vec<PathBuf>,
    },
    /// A format whose encoder was left out when this was built.
    #[error(
        "{}: this build cannot write {}: build with the feature {:?}, or choose another --format",
        input.display(),
        format.name(),
        format.feature().unwrap_or_default()
    )]
    FormatNotBuiltIn {
        /// An input that would be written so.
        input: PathBuf,
        /// The format.
        format: Format,
    },
    /// Two inputs would be written to one file.
    #[error(
        "{}{} and {}{} would both be written to {}{}; rename one or give them different output \
         folders",
        first.display(),
        of_request(requests, 0),
        second.display(),
        of_request(requests, 1),
        output.display(),
        if *is_case_alone {
            ", as names that differ only in case are one file on many disks"
        } else {
            ""
        }
    )]
    Collision {
        /// The names of their requests, if these are two.
        requests: Option<[Arc<str>; 2]>,
        /// One input.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The output of both.
        output: PathBuf,
        /// Whether their outputs differ, but only in case.
        is_case_alone: bool,
    },
    /// An output is one of the inputs.
    #[error("{}: is an input and would be overwritten; choose another output", path.display())]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
    /// Two inputs share a text file, for whose counterpart there is but one place.
    #[error(
        "{} and {} have one text file beside them, and both would write {}; leave it behind with \
         --no-sidecars, or take one of them at a time into folders of their own",
        first.display(),
        second.display(),
        output.display()
    )]
    SidecarCollision {
        /// One input.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The text file beside both outputs.
        output: PathBuf,
    },
    /// There is something in an output's place that is neither a file nor a folder.
    #[error("{}: is a device or a pipe, and would be replaced; choose another output", path.display())]
    OutputNotAFile {
        /// The output.
        path: PathBuf,
    },
    /// A report or the like is to be written where something else is read or written.
    #[error(
        "{option} {}: the {what} would overwrite that file, which is read or written by this run \
         or holds audio; choose another file",
        path.display()
    )]
    ExtraOverwrites {
        /// The option that asks for it.
        option: &'static str,
        /// What it is.
        what: &'static str,
        /// Where it would be written.
        path: PathBuf,
    },
    /// Two reports or the like are to be written to one file.
    #[error(
        "{first} and {second} would both write to {}; give one of them another file",
        path.display()
    )]
    SameExtra {
        /// One option.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The file of both.
        path: PathBuf,
    },
    /// A folder is given where a file is to be written.
    #[error("{option} {}: is a folder; give a file", path.display())]
    ExtraIsFolder {
        /// The option.
        option: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// What an option asks for is known of output folders only.
    #[error("{option} needs an output folder, whose journal tells what was made")]
    NeedsFolder {
        /// The option.
        option: &'static str,
    },
    /// Outputs whose source is gone can be told where all inputs are looked at only.
    #[error("--prune works with whole input folders: without a list and --rerun-failed")]
    PruneOfPart,
    /// None of the files that an earlier run did not finish is among the inputs.
    #[error(
        "none of the files that failed in the report of --rerun-failed is in the inputs; give the \
         inputs and the output of that run"
    )]
    NothingUnfinished,
    /// Outputs exist and that was to be an error.
    #[error("{} already there: {}; use --if-exists overwrite to replace, or skip to keep", count(outputs.len(), "output is", "outputs are"), list(outputs, 5))]
    OutputExists {
        /// The outputs.
        outputs: Vec<PathBuf>,
    },
    /// Outputs exist that no earlier run has made.
    #[error(
        "{} already there and not made by an earlier run: {}; use --if-exists overwrite to replace, \
         or skip to keep",
        count(outputs.len(), "output is", "outputs are"),
        list(outputs, 5)
    )]
    OutputUnknown {
        /// The outputs.
        outputs: Vec<PathBuf>,
    },
    /// The journal in the output folder cannot be read.
    #[error("{}: cannot read the journal of earlier runs", path.display())]
    Journal {
        /// The output folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another run is writing to the output folder.
    #[error(
        "{}: another run is writing to that folder; try again when it has ended, or choose another",
        path.display()
    )]
    Locked {
        /// The output folder.
        path: PathBuf,
    },
    /// A list names a file outside of the folder it is relative to.
    #[error("{}: a listed path cannot lead upwards; give it from the root", path.display())]
    ListedOutside {
        /// The path.
        path: PathBuf,
    },
    /// A folder within the output folder is a link.
    #[error(
        "{}: is a link, and outputs are not written through links in the output folder; put a \
         folder there, or give the one it leads to as the output",
        path.display()
    )]
    LinkInOutput {
        /// The link.
        path: PathBuf,
    },
    /// What is to be put into the names of outputs would lead into other folders.
    #[error("--suffix {}: is part of a name and cannot lead to another folder", suffix.display())]
    SuffixIsPath {
        /// The suffix.
        suffix: OsString,
    },
    /// Files cannot be created in the folder for temporary ones.
    #[error(
        "--temp-dir {}: files cannot be created there; give a folder that is there and can be written \
         to",
        path.display()
    )]
    TempDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The output folder cannot be written to.
    #[error("{}: cannot write there", path.display())]
    OutputUnwritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl PlanError {
    /// Returns the error itself, without the request that it is of.
    pub fn of_any_request(&self) -> &Self {
        match self {
            Self::OfRequest { source, .. } => source.of_any_request(),
            error => error,
        }
    }
}

/// Returns the name of a request as it stands behind that of a file.
fn of_request(requests: &Option<[Arc<str>; 2]>, number: usize) -> String {
    let name = requests.as_ref().map(|names| &names[number]);
    name.map_or(String::new(), |name| format!(" (job {name})"))
}

/// Returns the first few paths of a list, and how many more there are.
fn list(paths: &[PathBuf], most: usize) -> String {
    let names: Vec<_> = paths
        .iter()
        .take(most)
        .map(|path| path.display().to_string())
        .collect();
    let names = names.join(", ");
    match paths.len().saturating_sub(most) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn names() -> String {
    Format::ALL.map(Format::name).join("|")
}

fn extensions() -> String {
    Format::ALL
        .map(|format| format!(".{}", format.extensions()[0]))
        .join(" or ")
}
