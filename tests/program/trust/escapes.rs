//! File names and folder contents may come from strangers. A name must always be treated as a mere
//! name, and outputs must stay in the output folder.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::Command;

use serde_json::Value;

use crate::env::{Run, TestEnv};

/// A name with everything that must have no effect: terminal escapes of two kinds, line breaks of
/// three kinds, changes of text direction of three kinds, and markup in two languages.
const NAME: &str = "a\u{1b}[2J\u{9b}31m\n\r\u{2028}\u{202e}\u{2066}\u{200f}|`x`<b>]]>\"'&\u{7f}";

fn has_no_trick(text: &str) -> bool {
    let is_trick =
        |c: char| c.is_control() && c != '\n' || "\u{200f}\u{2028}\u{202e}\u{2066}".contains(c);
    !text.contains(is_trick)
}

#[track_caller]
fn assert_no_trick(text: &str) {
    assert!(has_no_trick(text), "{text:?}");
}

/// Creates a folder with a short recording whose name and tags contain all of these.
fn with_tricky_input() -> TestEnv {
    let env = TestEnv::new();
    let title = format!("title={NAME}");
    let input = crate::env::recordings().join("short-801-44k-mono.wav");
    let input = input.to_str().unwrap();
    let name = format!("in/{NAME}.flac");
    env.create_folder("in");
    let metadata = [
        "-metadata",
        &title,
        "-metadata",
        &title.replace("title", "comment"),
    ];
    let args = ["-v", "error", "-i", input].into_iter().chain(metadata);
    env.tool("ffmpeg", args.chain([name.as_str()]));
    env
}

#[test]
fn no_name_or_tag_plays_tricks_in_any_report() {
    let env = with_tricky_input();
    env.write(format!("in/{NAME}.wav"), "no audio");
    let args = "in out --format mp3 --suffix x --events --report-junit junit.xml \
                --report-markdown summary.md -v";
    let run = env.run(args);
    // Two inputs have the same output, and the message names all three files.
    assert_no_trick(&run.exits(2).stderr);
    fs::rename(
        env.path(format!("in/{NAME}.wav")),
        env.path(format!("in/b{NAME}.wav")),
    )
    .unwrap();
    let run = env.run(args).exits(1);
    assert_no_trick(&run.stderr);
    assert_no_trick(&run.stdout);
    for report in ["junit.xml", "summary.md", "out/audiostretchy-report.json"] {
        assert_no_trick(&String::from_utf8(env.read(report)).unwrap());
    }

    // Programs get the exact name.
    let inputs = [format!("in/{NAME}.flac"), format!("in/b{NAME}.wav")];
    let report = env.report("out");
    for (index, input) in inputs.iter().enumerate() {
        assert_eq!(report["files"][index]["input"], *input);
    }
    let told: Vec<Value> = (run.stdout.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["event"] == "file-finished")
        .collect();
    assert!(
        inputs
            .iter()
            .all(|input| told.iter().any(|event| event["input"] == **input))
    );

    // A name is a single table cell in Markdown and a single attribute in XML, and its markup has
    // no effect.
    let markdown = String::from_utf8(env.read("summary.md")).unwrap();
    let row = markdown.lines().find(|line| line.contains("flac")).unwrap();
    assert_eq!(row.matches('|').count(), 7, "{row}");
    assert!(!row.contains('`') && !row.contains("<b>"), "{row}");
    let junit = String::from_utf8(env.read("junit.xml")).unwrap();
    assert!(!junit.contains("]]>") && !junit.contains("<b>"), "{junit}");
    let mut xml = quick_xml::Reader::from_str(&junit);
    while xml.read_event().unwrap() != quick_xml::events::Event::Eof {}

    let shown = env.run("report show out/audiostretchy-report.json");
    assert_no_trick(&shown.exits(1).stdout);
    let again = env.run("in out --format mp3 --suffix x --if-exists error");
    assert_no_trick(&again.exits(2).stderr);
    assert_no_trick(&env.run("in new --dry-run --ratio 1").exits(1).stdout);
}

#[test]
fn the_parser_repeats_arguments_without_their_tricks() {
    let env = TestEnv::new();
    let trick = format!("--{NAME}");
    for args in [
        [trick.as_str(), "out"],
        ["--format", NAME],
        ["--ratio", NAME],
        ["--timeout", NAME],
        ["--preset", NAME],
        ["--preset", &format!("{NAME}.toml")],
        ["--files-from", NAME],
        ["--glob", "[\u{202e}"],
    ] {
        let args = args.into_iter().chain(["in", "out", "--color", "always"]);
        let run = env.run_args(args).exits(2);
        let plain = run.stderr.replace("\u{1b}[0m", "").replace("\u{1b}[1m", "");
        let plain = plain.replace("\u{1b}[31m", "").replace("\u{1b}[32m", "");
        let plain = plain.replace("\u{1b}[33m", "").replace("\u{1b}[4m", "");
        assert_no_trick(&plain);
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_named_without_tricks() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder(&format!("in/{NAME}"));
    let locked = env.path(format!("in/{NAME}"));
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let drop = ["--bounding-set=-dac_override,-dac_read_search", "--"];
    let run = |args: &str| {
        let program = env.command(args.split(' '));
        let mut command = Command::new("setpriv");
        command
            .args(drop)
            .arg(program.get_program())
            .args(program.get_args());
        command.current_dir(env.path(""));
        Run::of(&env, command)
    };
    let (plan, real) = (run("in out --ratio 1 --dry-run"), run("in out --ratio 1"));
    fs::set_permissions(&locked, Permissions::from_mode(0o755)).unwrap();
    let plan = plan.exits(1);
    assert_no_trick(&plan.stdout);
    assert!(
        plan.stdout.contains("(will fail: Permission denied"),
        "{plan}"
    );
    assert_no_trick(&real.stderr);
}

#[test]
fn a_stored_report_cannot_put_a_command_into_the_line_to_be_copied() {
    let env = TestEnv::new();
    env.write("in/a.wav", "no audio");
    env.run("in out --ratio 1").exits(1);
    let mut report = env.report("out");
    report["command"][0] = "rm".into();
    report["command"][1] = "-rf;\u{1b}[2J".into();
    env.write("r.json", report.to_string());
    let shown = env.run("report show r.json").exits(1);
    let retry = "retry: audiostretchy --rerun-failed r.json $'-rf;\\033[2J' out";
    assert!(shown.stdout.contains(retry), "{shown}");
}

#[test]
fn a_linked_folder_in_the_output_folder_is_refused_before_anything_is_written() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/sub/deep/b.wav"]);
    env.create_folder("elsewhere/deep");
    env.write("elsewhere/deep/.audiostretchy-x.tmp", "of another");
    env.create_folder("out");
    symlink("../elsewhere", env.path("out/sub")).unwrap();
    for args in ["in out", "in out --if-exists overwrite", "in out --dry-run"] {
        env.refuses(args, 2, &["out/sub: is a link", "give the one it leads to"]);
    }
    fs::remove_file(env.path("out/sub")).unwrap();
    symlink("../nowhere", env.path("out/sub")).unwrap();
    env.refuses("in out", 2, &["out/sub: is a link"]);

    // The output folder itself is what the user named, so it may be a link.
    symlink("elsewhere", env.path("link")).unwrap();
    env.run("in link --ratio 1").succeeds();
    let found = ["a.wav", "deep/.audiostretchy-x.tmp", "sub/deep/b.wav"];
    assert_eq!(env.files("elsewhere"), found);
}

#[test]
fn a_folder_that_becomes_a_link_during_the_run_fails_its_files_only() {
    let env = crate::trust::live::inputs(12, 20);
    env.encode_recording("speech-16k-mono", "in/z/last.wav", "-t 0.3");
    env.create_folder("elsewhere");
    let mut run = crate::trust::live::Live::start(&env, "in out -j 1 --ratio 0.8");
    run.wait_for_message("[1/13] done");
    symlink("../elsewhere", env.path("out/z")).unwrap();
    run.ends().exits(1);
    let report = env.report("out");
    let failed = report["files"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|file| file["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{report}");
    assert_eq!(failed[0]["input"], "in/z/last.wav");
    assert!(failed[0]["error"].to_string().contains("is a link"));
    assert!(env.files("elsewhere").is_empty(), "{env}");
}

#[test]
fn nothing_is_written_through_links_that_stand_for_files() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.write("in/a.srt", "1\n00:00:00,000 --> 00:00:00,100\nA\n");
    env.write("mine", "precious");
    env.create_folder("out");
    for name in ["a.wav", "a.srt", "audiostretchy-report.json"] {
        symlink("../mine", env.path("out").join(name)).unwrap();
    }
    symlink("../unborn", env.path("out/b.wav")).unwrap();
    env.refuses("in out", 2, &["already there"]);
    env.run("in out --if-exists overwrite --ratio 1").succeeds();
    assert_eq!(env.read("mine"), b"precious");
    assert!(!env.exists("unborn"));
    for name in ["a.wav", "a.srt", "b.wav", "audiostretchy-report.json"] {
        let path = env.path("out").join(name);
        assert!(path.symlink_metadata().unwrap().is_file(), "{name}");
    }
    symlink("mine", env.path("one.wav")).unwrap();
    env.run(
        "in/a.wav one.wav --if-exists overwrite --report one.json --time-map map.json --ratio 1",
    )
    .succeeds();
    assert_eq!(env.read("mine"), b"precious");
}

#[test]
fn a_journal_that_is_a_link_or_a_pipe_is_refused_and_its_target_left_alone() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("mine", "precious, without an end of line");
    for target in ["../mine", "../unborn"] {
        env.create_folder("out");
        symlink(target, env.path("out/.audiostretchy.jsonl")).unwrap();
        env.refuses("in out", 2, &[".audiostretchy.jsonl is a link"]);
        fs::remove_dir_all(env.path("out")).unwrap();
    }
    env.create_folder("out");
    env.tool("mkfifo", ["out/.audiostretchy.jsonl"]);
    env.run("in out --ratio 1")
        .exits(2)
        .says(&["is a link, or no file"]);
}

#[test]
fn a_pipe_or_device_that_stands_for_the_report_is_replaced_unless_it_was_named() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out");
    env.tool("mkfifo", ["out/audiostretchy-report.json"]);
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.report("out")["counts"]["done"], 1);
    fs::remove_file(env.path("out/audiostretchy-report.json")).unwrap();
    symlink("/dev/full", env.path("out/audiostretchy-report.json")).unwrap();
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.report("out")["counts"]["skipped"], 1);
    let device = fs::metadata("/dev/full").unwrap();
    assert!(device.file_type().is_char_device());
    symlink("/dev/full", env.path("named")).unwrap();
    env.run("in out --report named --ratio 1").exits(3);
}

#[test]
fn neither_a_suffix_nor_a_list_leads_out_of_the_output_folder() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/sub/b.wav"]);
    for suffix in ["/../../x", "../x", "/", "x/y"] {
        let args = ["in", "out", "--suffix", suffix];
        env.refuses_args(args, 2, &["cannot lead to another folder"]);
    }
    env.write("list", "in/../in/a.wav\n");
    env.refuses("--files-from list out", 2, &["cannot lead upwards"]);
    let absolute = env.path("in/sub/../a.wav");
    env.write("list", format!("{}\n./in/sub/b.wav\n", absolute.display()));
    env.run("--files-from list out --ratio 1").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "in/sub/b.wav"]);
}

#[test]
fn an_output_is_readable_by_no_more_than_its_source_the_umask_and_what_it_replaces() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("in/a.srt", "1\n00:00:00,000 --> 00:00:00,100\nA\n");
    let mode = |name: &str| fs::metadata(env.path(name)).unwrap().permissions().mode() & 0o7777;
    let set = |name: &str, mode| {
        fs::set_permissions(env.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let convert = |umask: &str, args: &str| {
        let program = env.command(args.split(' '));
        let mut command = Command::new("bash");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        command.arg(program.get_program()).args(program.get_args());
        command.current_dir(env.path(""));
        Run::of(&env, command).succeeds();
    };
    for (source, umask, expected) in [
        (0o644, "022", 0o644),
        (0o600, "022", 0o600),
        (0o640, "022", 0o640),
        (0o666, "077", 0o600),
        (0o777, "002", 0o664),
        (0o4755, "022", 0o644),
        // The owner can always replace the output.
        (0o444, "022", 0o644),
    ] {
        set("in/a.wav", source);
        set("in/a.srt", source);
        convert(umask, "in out --ratio 1");
        convert(umask, "in/a.wav one.wav --ratio 1");
        for output in ["out/a.wav", "out/a.srt", "one.wav"] {
            assert_eq!(mode(output), expected, "{output} of {source:o}, {umask}");
        }
        fs::remove_dir_all(env.path("out")).unwrap();
        fs::remove_file(env.path("one.wav")).unwrap();
        fs::remove_file(env.path("one.srt")).unwrap();
    }
    set("in/a.wav", 0o644);
    convert("022", "in out --ratio 1");
    set("out/a.wav", 0o600);
    convert("022", "in out --ratio 1 --if-exists overwrite");
    assert_eq!(mode("out/a.wav"), 0o600);
}

#[test]
fn subtitles_that_a_killed_run_has_left_are_those_of_the_next_run() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("in/a.srt", "1\n00:00:00,000 --> 00:00:00,200\nA\n");
    env.run("in whole --ratio 2").succeeds();
    env.run("in out --ratio 0.5").succeeds();
    // A run that is killed may already have written them, before the audio was renamed.
    fs::remove_file(env.path("out/a.wav")).unwrap();
    env.run("in out --ratio 2").succeeds();
    assert!(env.outputs("out") == env.outputs("whole"), "{env}");

    // Files of others are kept.
    env.write("new/a.srt", "of another");
    env.run("in new --ratio 1").succeeds().says(&["a.srt"]);
    assert_eq!(env.read("new/a.srt"), b"of another");
    assert!(env.exists("new/a.wav"));
}
