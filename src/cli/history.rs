//! Earlier reports of an output folder: `audiostretchy-report.1.json` is the newest of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audiostretchy::batch::Partition;

/// What the report is called where no other name is given.
pub(super) const REPORT_NAME: &str = "audiostretchy-report.json";

/// Returns what the report of a run is called where no other name is given.
pub(super) fn report_name(partition: Option<Partition>) -> String {
    match partition {
        None => REPORT_NAME.into(),
        Some(partition) => format!("audiostretchy-report.{}.json", partition.in_names()),
    }
}

/// Reports that are kept unless told otherwise.
pub(super) const DEFAULT: usize = 10;

/// Makes room for a new report in the place of `report`: what is there becomes number 1, number 1
/// becomes 2, and so on up to `most`; what would come after that is removed.
///
/// # Errors
/// Returns an error if one of them cannot be renamed.
pub(super) fn make_room(report: &Path, most: usize) -> io::Result<()> {
    let place = |number| match number {
        0 => report.to_owned(),
        _ => numbered(report, number),
    };
    let is_there = |number: &usize| place(*number).symlink_metadata().is_ok();
    if !is_there(&0) {
        return Ok(());
    }
    let free = (1..=most).find(|number| !is_there(number)).unwrap_or(most);
    for number in (0..free).rev() {
        fs::rename(place(number), place(number + 1))?;
    }
    // Fewer may be wanted than before.
    for number in (most + 1..).take_while(is_there) {
        fs::remove_file(place(number))?;
    }
    Ok(())
}

fn numbered(report: &Path, number: usize) -> PathBuf {
    report.with_extension(format!("{number}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_grows_older_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join(REPORT_NAME);
        let run = |number: u32, most| {
            make_room(&report, most).unwrap();
            fs::write(&report, number.to_string()).unwrap();
        };
        let kept = || {
            let names = fs::read_dir(folder.path()).unwrap();
            let mut kept: Vec<String> = names
                .map(|entry| entry.unwrap().path())
                .map(|path| {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    format!("{name} {}", fs::read_to_string(&path).unwrap())
                })
                .collect();
            kept.sort();
            kept
        };
        (1..=5).for_each(|number| run(number, 3));
        let expected = [
            "audiostretchy-report.1.json 4",
            "audiostretchy-report.2.json 3",
            "audiostretchy-report.3.json 2",
            "audiostretchy-report.json 5",
        ];
        assert_eq!(kept(), expected);
        run(6, 1);
        let expected = [
            "audiostretchy-report.1.json 5",
            "audiostretchy-report.json 6",
        ];
        assert_eq!(kept(), expected);
        run(7, 0);
        assert_eq!(kept(), ["audiostretchy-report.json 7"]);
    }

    #[test]
    fn a_gap_is_filled_and_what_is_behind_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join(REPORT_NAME);
        for (number, text) in [(0, "new"), (1, "old"), (3, "oldest")] {
            let place = if number == 0 {
                report.clone()
            } else {
                numbered(&report, number)
            };
            fs::write(place, text).unwrap();
        }
        make_room(&report, 10).unwrap();
        let text = |number| fs::read_to_string(numbered(&report, number)).unwrap();
        assert_eq!([1, 2, 3].map(text), ["new", "old", "oldest"]);
    }
}
