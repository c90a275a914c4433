//! `-` for standard input and output.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::program::Folder;

/// Creates a folder with one recording in it.
fn with_recording(name: &str) -> Folder {
    let folder = Folder::with::<&str>(&[]);
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings/");
    let name_here = format!("in.{}", name.rsplit('.').next().unwrap());
    std::fs::copy(format!("{recordings}{name}"), folder.path(name_here)).unwrap();
    folder
}

/// Runs the program with a file as its standard input, passed through a real pipe.
fn piped(folder: &Folder, input: &str, arguments: &[&str]) -> std::process::Output {
    let mut cat = Command::new("cat")
        .arg(folder.path(input))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = folder
        .command(arguments)
        .stdin(cat.stdout.take().unwrap())
        .output()
        .unwrap();
    cat.wait().unwrap();
    output
}

#[test]
fn a_pipe_gives_the_bytes_that_a_file_has() {
    for (name, input) in [
        ("stories/sea.wav", "in.wav"),
        ("stories/lighthouse.mp3", "in.mp3"),
        ("lectures/memo.m4a", "in.m4a"),
    ] {
        let folder = with_recording(name);
        for format in ["wav", "mp3", "flac", "ogg"] {
            let file = format!("out.{format}");
            assert_eq!(folder.run(&[input, &file, "--speed", "1.5"]).code(), 0);
            let expected = std::fs::read(folder.path(&file)).unwrap();
            let options = ["--speed", "1.5", "--format", format];
            let run = piped(&folder, input, &[&["-", "-"], &options[..]].concat());
            assert!(run.status.success());
            assert!(run.stdout == expected, "{input}: - - {format}");
            let run = folder.run_raw(&[&[input, "-"], &options[..]].concat());
            assert!(run.stdout == expected, "{input}: {input} - {format}");
            let into = format!("piped.{format}");
            let run = piped(&folder, input, &["-", &into, "--speed", "1.5"]);
            assert!(run.status.success() && run.stdout.is_empty());
            assert!(std::fs::read(folder.path(into)).unwrap() == expected);
        }
    }
}

#[test]
fn a_file_sent_to_standard_output_keeps_its_format() {
    let folder = with_recording("lectures/evening.flac");
    let run = folder.run_raw(&["in.flac", "-", "--preset", "speech", "--ratio", "1"]);
    assert_eq!(&run.stdout[..4], b"fLaC");
}

#[test]
fn without_a_format_a_pipe_is_refused_with_the_option_that_names_one() {
    let folder = with_recording("stories/sea.wav");
    let run = piped(&folder, "in.wav", &["-", "-"]);
    assert_eq!(run.status.code(), Some(2));
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(message.contains("--format wav|mp3"), "{message}");
    assert!(run.stdout.is_empty());
}

#[test]
fn what_a_pipe_cannot_do_is_refused() {
    let folder = with_recording("stories/sea.wav");
    for (arguments, expected) in [
        (&["in.wav", "-", "--events"][..], "--events"),
        (&["in.wav", "-", "--report", "r.json"], "--report"),
        (&["in.wav", "-", "--dry-run"], "--dry-run"),
        (&["in.wav", "in.wav", "-"], "one input and one output"),
        (&["in.wav", "-", "--ratio", "9"], "ratio is 9"),
        (
            &["missing.wav", "-", "--speed", "2"],
            "missing.wav: no such file",
        ),
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.code(), 2, "{arguments:?}");
        assert!(run.stderr().contains(expected), "{}", run.stderr());
        assert!(run.stdout().is_empty());
    }
}

#[test]
fn what_is_no_audio_fails_and_nothing_comes_out() {
    let folder = Folder::with::<&str>(&[]);
    folder.add_junk("junk");
    let run = piped(&folder, "junk", &["-", "-", "--format", "wav"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(run.stdout.is_empty());
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(message.contains("the input: not supported"), "{message}");
    let run = piped(&folder, "junk", &["-", "out.wav"]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(folder.path("").read_dir().unwrap().count(), 1);
}

#[test]
fn an_output_that_exists_is_replaced_only_on_demand() {
    let folder = with_recording("stories/sea.wav");
    std::fs::write(folder.path("out.wav"), "old").unwrap();
    let run = piped(&folder, "in.wav", &["-", "out.wav"]);
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(folder.text("out.wav"), "old");
    let run = piped(
        &folder,
        "in.wav",
        &["-", "out.wav", "--if-exists", "overwrite"],
    );
    assert!(run.status.success());
    let mut start = [0; 4];
    let mut file = File::open(folder.path("out.wav")).unwrap();
    file.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"RIFF");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::with::<&str>(&[]);
    folder.add_audio("in.wav", 2_000_000);
    let mut child = folder
        .command(&["in.wav", "-", "--ratio", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let run = child.wait_with_output().unwrap();
    assert_eq!(&start, b"RIFF");
    assert!(run.status.success());
    assert!(run.stderr.is_empty());
}

#[test]
fn a_terminal_is_not_filled_with_audio() {
    let folder = Folder::with(&["in.wav"]);
    let program = env!("CARGO_BIN_EXE_audiostretchy");
    let command = format!("'{program}' in.wav -");
    let run = Command::new("script")
        .current_dir(folder.path(""))
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&run.stdout);
    assert!(shown.contains("standard output is a terminal"), "{shown}");
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn limits_hold_for_pipes() {
    let folder = with_recording("stories/sea.wav");
    let limited = |option: [&str; 2]| {
        let options = ["-", "-", "--format", "wav", option[0], option[1]];
        let run = piped(&folder, "in.wav", &options);
        assert_eq!(run.status.code(), Some(1));
        assert!(run.stdout.is_empty());
        String::from_utf8(run.stderr).unwrap()
    };
    let message = limited(["--max-duration-per-file", "2s"]);
    assert!(message.contains("--max-duration-per-file"), "{message}");
    let message = limited(["--timeout", "1us"]);
    assert!(message.contains("--timeout"), "{message}");
    let options = ["-", "out.wav", "--max-duration-per-file", "6s"];
    let run = piped(&folder, "in.wav", &options);
    assert!(run.status.success());
}

#[test]
#[cfg(unix)]
fn a_pipe_takes_nobodys_place() {
    let folder = with_recording("stories/sea.wav");
    let input = folder.path("in.wav");
    let run = |script: &str| {
        let output = folder.command(&[]);
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", script]).arg(output.get_program());
        let output = bash.current_dir(folder.path("")).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let before = std::fs::read(&input).unwrap();
    // A file that is created while the pipe is read.
    let (code, said) = run("(cat in.wav; sleep .5; echo mine > z.wav) | $0 - z.wav --speed 1.5");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(folder.text("z.wav"), "mine\n");
    for script in [
        "mkfifo pipe.wav; $0 - pipe.wav --speed 1.5 --if-exists overwrite < in.wav",
        "$0 - in.wav --speed 1.5 --if-exists overwrite < in.wav",
        "$0 in.wav - --speed 1.5 1<> in.wav",
        "$0 in.wav - --speed 1.5 >> in.wav",
    ] {
        let (code, said) = run(script);
        assert_eq!(code, Some(2), "{script}: {said}");
        assert!(std::fs::read(&input).unwrap() == before, "{script}");
    }
    let left = ".audiostretchy-x1Y2z3.tmp";
    std::fs::write(folder.path(left), "half a file").unwrap();
    let (code, said) = run("$0 - new.wav --speed 1.5 < in.wav");
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.path(left).exists());
}
