//! Repeated runs: what is up to date is kept, what is not is made again, and files of others are
//! not touched.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime};

use crate::env::TestEnv;
use crate::trust::live::{Live, has_temporary, inputs};

const JOURNAL: &str = "out/.audiostretchy.jsonl";

/// Creates a folder with three inputs that have been stretched.
fn stretched() -> TestEnv {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/deep/c.wav"]);
    env.run("in out --ratio 0.8").succeeds().says(&["3 done"]);
    env
}

/// Returns the inputs with this status in the last report.
fn with_status(env: &TestEnv, status: &str) -> Vec<String> {
    let report = env.report("out");
    let files = report["files"].as_array().unwrap().iter();
    files
        .filter(|file| file["status"] == status)
        .map(|file| file["input"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs again and checks which files were made again. The outputs must not change.
#[track_caller]
fn redoes(env: &TestEnv, args: &str, expected: &[&str]) {
    let before = env.outputs("out");
    env.run(args).succeeds();
    assert_eq!(with_status(env, "done"), expected);
    assert!(env.outputs("out") == before, "{env}");
}

fn touch(env: &TestEnv, name: &str) {
    let file = OpenOptions::new().write(true).open(env.path(name)).unwrap();
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    file.set_modified(past).unwrap();
}

#[test]
fn a_second_run_leaves_everything_as_it_is() {
    let env = stretched();
    let journal = env.read(JOURNAL);
    let written = |name: &str| env.path(name).metadata().unwrap().modified().unwrap();
    let before = written("out/a.wav");
    redoes(&env, "in out --ratio 0.8", &[]);
    assert_eq!(with_status(&env, "skipped").len(), 3);
    assert_eq!(env.report("out")["files"][0]["reason"], "up to date");
    assert_eq!(written("out/a.wav"), before);
    assert!(env.read(JOURNAL) == journal);
    // The number of workers does not affect any file.
    redoes(&env, "in out --ratio 0.8 -j 1 -v", &[]);
}

#[test]
fn a_changed_value_redoes_exactly_the_files_it_acts_on() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/c.flac"]);
    let run = |preset: &str| {
        env.write("p.toml", preset);
        env.run("in out --preset p.toml").succeeds();
        with_status(&env, "done")
    };
    let all = ["in/a.wav", "in/b.mp3", "in/c.flac"];
    assert_eq!(run("ratio = 0.8\nbitrate_kbps = 64\n"), all);
    assert!(run("ratio = 0.8\nbitrate_kbps = 64\n").is_empty());
    assert_eq!(run("ratio = 0.8\nbitrate_kbps = 48\n"), ["in/b.mp3"]);
    assert_eq!(run("ratio = 0.7\nbitrate_kbps = 48\n"), all);
    assert!(run("description = \"as before\"\nratio = 0.7\nbitrate_kbps = 48\n").is_empty());
    let depth = "ratio = 0.7\nbitrate_kbps = 48\nbit_depth = \"24\"\n";
    assert_eq!(run(depth), ["in/a.wav", "in/c.flac"]);
}

#[test]
fn a_touched_source_is_redone_unless_its_content_is_compared() {
    let env = stretched();
    touch(&env, "in/a.wav");
    redoes(&env, "in out --ratio 0.8", &["in/a.wav"]);

    env.run("in out --ratio 0.8 --if-exists overwrite --checksum")
        .succeeds();
    touch(&env, "in/deep/c.wav");
    redoes(&env, "in out --ratio 0.8 --checksum", &[]);
    // The length and the time stay the same, but the content changes.
    let mut content = env.read("in/deep/c.wav");
    *content.last_mut().unwrap() ^= 1;
    env.write("in/deep/c.wav", content);
    touch(&env, "in/deep/c.wav");
    env.run("in out --ratio 0.8 --checksum").succeeds();
    assert_eq!(with_status(&env, "done"), ["in/deep/c.wav"]);
}

#[test]
fn an_output_that_is_gone_is_redone() {
    let env = stretched();
    let whole = env.outputs("out");
    fs::remove_file(env.path("out/deep/c.wav")).unwrap();
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(with_status(&env, "done"), ["in/deep/c.wav"]);
    assert!(env.outputs("out") == whole);
}

#[test]
fn a_torn_line_of_the_journal_counts_for_nothing() {
    let env = stretched();
    let whole = env.read(JOURNAL);
    let append = |bytes: &[u8]| {
        let mut journal = OpenOptions::new().append(true).open(env.path(JOURNAL));
        journal.as_mut().unwrap().write_all(bytes).unwrap();
    };
    append(&whole[..whole.len() / 2]);
    redoes(&env, "in out --ratio 0.8", &[]);
    // Damage in the middle, as a bad disk may cause it.
    env.write(JOURNAL, [b"\0\0\0\n{}\n\xff\n", &whole[..]].concat());
    redoes(&env, "in out --ratio 0.8", &[]);

    // A crash while a line was written, before the output got its name.
    let is_intended = |line: &&[u8]| line.starts_with(b"{\"intended\":");
    let mut lines = whole.split_inclusive(|&byte| byte == b'\n');
    let line = lines.rfind(is_intended).unwrap();
    let start = line.as_ptr() as usize - whole.as_ptr() as usize;
    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
    let output = line["intended"]["output"].as_str().unwrap().to_owned();
    env.write(JOURNAL, &whole[..start + 20]);
    fs::remove_file(env.path(format!("out/{output}"))).unwrap();
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(with_status(&env, "done"), [format!("in/{output}")]);
    redoes(&env, "in out --ratio 0.8", &[]);
}

#[test]
fn a_file_of_somebody_else_is_refused_before_anything_is_written() {
    let env = stretched();
    env.encode_recording("speech-16k-mono", "in/d.wav", "-t 0.2");
    env.write("out/d.wav", "precious");
    let pieces = [
        "not made by an earlier run: out/d.wav",
        "--if-exists overwrite",
    ];
    env.refuses("in out --ratio 0.8", 2, &pieces);
    env.refuses("in out --ratio 0.5", 2, &pieces);
}

#[test]
fn a_second_run_into_the_same_folder_is_refused() {
    let env = inputs(1, 600);
    let mut first = Live::start(&env, "in out --ratio 0.8 -n");
    first.wait_for_event("file-progress");
    env.run("in out --ratio 0.8 -n")
        .exits(75)
        .says(&["out: another run is writing to that folder"]);
    // The temporary file of the first run must not be removed.
    assert!(has_temporary(&env, "out"), "{env}");
    env.run("in elsewhere --ratio 0.8 -n").succeeds();
    first.ends().exits(0);
    assert!(env.outputs("out") == env.outputs("elsewhere"));
}

#[test]
fn leftovers_of_killed_runs_are_removed_and_nothing_else() {
    let env = stretched();
    let leftovers = [
        "out/.audiostretchy-x1Y2z3.tmp",
        "out/deep/.audiostretchy-abcdef.tmp",
    ];
    for name in leftovers {
        env.write(name, "half a file");
    }
    env.write("out/.audiostretchy-notes.txt", "mine");
    env.write("out/other.tmp", "mine");
    env.run("in out --ratio 0.8").succeeds();
    assert!(!has_temporary(&env, "out"), "{env}");
    assert_eq!(env.read("out/.audiostretchy-notes.txt"), b"mine");
    assert_eq!(env.read("out/other.tmp"), b"mine");
}

#[test]
fn outputs_beside_their_inputs_do_not_become_inputs() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.mp3"]);
    let args = "in in --suffix _fast --ratio 0.8";
    env.run(args).succeeds().says(&["2 done"]);
    let before = env.outputs("in");
    let names = ["a.wav", "a_fast.wav", "deep/b.mp3", "deep/b_fast.mp3"];
    assert_eq!(env.files("in"), names);
    for again in [args, "in/. in --suffix _fast --ratio 0.8"] {
        env.run(again).succeeds();
        assert!(env.outputs("in") == before, "{env}");
    }
    env.run("in in --suffix _fast --ratio 0.6").succeeds();
    assert_eq!(env.files("in"), names);
    env.refuses(
        "in in --ratio 0.8",
        2,
        &["is an input and would be overwritten"],
    );
}

#[test]
fn an_output_folder_in_the_input_is_never_an_input() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for expected in [" became ", "1 up to date", "1 up to date"] {
        env.run("in in/out --ratio 1").succeeds().says(&[expected]);
        assert_eq!(env.files("in/out"), ["a.wav"]);
    }
}

#[test]
fn a_link_to_an_input_is_not_replaced() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out");
    let refuses = || {
        let pieces = ["out/a.wav: is an input"];
        env.refuses("in out --ratio 0.8 --if-exists overwrite", 2, &pieces);
    };
    // Like the same folder under two names (such as a bind mount), a hard link cannot be told from
    // the input.
    fs::hard_link(env.path("in/a.wav"), env.path("out/a.wav")).unwrap();
    refuses();
    fs::remove_file(env.path("out/a.wav")).unwrap();
    std::os::unix::fs::symlink("../in/a.wav", env.path("out/a.wav")).unwrap();
    refuses();
}

#[test]
fn the_journal_does_not_follow_the_time_of_an_input_that_is_kept() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    touch(&env, "in/a.wav");
    env.run("in out --keep-mtime --ratio 1").succeeds();
    let modified = |name: &str| File::open(env.path(name)).unwrap().metadata().unwrap();
    let [input, output] = ["in/a.wav", "out/a.wav"].map(|name| modified(name).modified().unwrap());
    assert_eq!(input, output);
    redoes(&env, "in out --keep-mtime --ratio 1", &[]);
}
