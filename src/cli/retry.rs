//! The command that runs again what failed, to be copied from the terminal.

use std::path::Path;

use audiostretchy::report::{PathText, Report, Status};

const OPTION: &str = "--rerun-failed";

/// Returns the command that runs again what did not finish in `report`, which lies in `file`;
/// `None` where there is nothing to run, or the report does not tell its command line.
pub(super) fn command(report: &Report, file: &Path) -> Option<String> {
    let is_unfinished = |status| report.with_status(status).next().is_some();
    if !is_unfinished(Status::Failed) && !is_unfinished(Status::NotRun) {
        return None;
    }
    // A report may come from anywhere, and the first word is what would be run.
    let (_, arguments) = report.command.split_first()?;
    let program = env!("CARGO_PKG_NAME").to_owned();
    let mut arguments = arguments.iter();
    let mut words = vec![program];
    if !report.jobs.is_empty() {
        // The option is that of the subcommand.
        let before = arguments.by_ref().take_while(|word| word.text() != "run");
        words.extend(before.map(quote));
        words.push("run".into());
    }
    words.extend([OPTION.to_owned(), quote(&file.into())]);
    // The report that this run itself was restricted to is not the one that counts now.
    while let Some(argument) = arguments.next() {
        let text = argument.text();
        // A list that came from standard input will not come again.
        let is_list =
            |name: &str| text == name && arguments.as_slice().first().is_some_and(is_dash);
        if is_list("--files-from")
            || is_list("--files-from0")
            || text.starts_with("--files-from") && text.ends_with("=-")
        {
            return None;
        }
        if text == OPTION {
            arguments.next();
        } else if text == "--" {
            words.push(text.to_owned());
            words.extend(arguments.by_ref().map(quote));
        } else if !text.starts_with(&format!("{OPTION}=")) {
            words.push(quote(argument));
        }
    }
    Some(words.join(" "))
}

fn is_dash(word: &PathText) -> bool {
    word.text() == "-"
}

/// A word as a shell takes it, safe to print.
fn quote(word: &PathText) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    let text = word.text();
    match word {
        PathText::Text(_) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        PathText::Text(_) if cfg!(windows) => format!("\"{}\"", text.replace('"', "\\\"")),
        PathText::Text(_) if word.to_string() == text => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        PathText::Bytes { bytes, .. } => ansi_c_quote(bytes),
        _ => ansi_c_quote(text.as_bytes()),
    }
}

/// `$'...'` of bash, zsh and POSIX 2024: any bytes, of which the terminal sees no control
/// character.
fn ansi_c_quote(bytes: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(byte.into()),
            // Octal takes at most three digits, so what follows is never taken as one more.
            _ => quoted += &format!("\\{byte:03o}"),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiostretchy::report::{FileReport, SettingsReport};
    use std::time::{Duration, SystemTime};

    fn retry(arguments: &[&str]) -> Option<String> {
        let mut failed = FileReport::new(Path::new("a"), None, Status::Failed);
        failed.output = Some(PathText::from("b"));
        let settings = SettingsReport::default();
        let mut report = Report::new(
            SystemTime::UNIX_EPOCH,
            Duration::ZERO,
            settings,
            vec![failed],
        );
        report.command = arguments.iter().map(PathText::from).collect();
        command(&report, Path::new("r.json"))
    }

    #[test]
    fn the_command_names_the_new_report_only() {
        let expected = Some("audiostretchy --rerun-failed r.json in out -r 0.5".to_owned());
        for old in [&["--rerun-failed", "old"][..], &["--rerun-failed=old"], &[]] {
            let words = [&["audiostretchy", "in"], old, &["out", "-r", "0.5"]].concat();
            assert_eq!(retry(&words), expected);
        }
        let after = retry(&["audiostretchy", "--", "--rerun-failed", "out"]);
        let expected = "audiostretchy --rerun-failed r.json -- --rerun-failed out";
        assert_eq!(after.as_deref(), Some(expected));
        assert_eq!(retry(&[]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_gets_back_every_byte() {
        use std::os::unix::ffi::OsStrExt;
        for word in [
            &b"plain"[..],
            b"",
            b"a b'c",
            b"\x1b[2J\n7'\\",
            b"caf\xe97 '",
            "ü ü".as_bytes(),
        ] {
            let quoted = quote(&PathText::from(std::ffi::OsStr::from_bytes(word)));
            assert!(!quoted.contains(|c: char| c.is_control()));
            let command = format!("printf %s {quoted}");
            let Ok(output) = std::process::Command::new("bash")
                .args(["-c", &command])
                .output()
            else {
                return;
            };
            assert_eq!(output.stdout, word, "{quoted}");
        }
    }
}
