//! Which files belong to the program and which to the user: files that were edited, that took an
//! output's place, or that are beside outputs.

use std::fs;

use serde_json::Value;

use crate::env::TestEnv;
use crate::trust::live::{Live, inputs, long_input};

const SUBTITLES: &str = "1\n00:00:00,100 --> 00:00:00,200\nHello\n";

/// Changes the modification time of a file.
fn touch(env: &TestEnv, name: &str) {
    env.tool("touch", ["-d", "2001-09-09", name]);
}

/// Returns the entry of an input in the last report.
fn file(env: &TestEnv, input: &str) -> Value {
    let report = env.report("out");
    let mut files = report["files"].as_array().unwrap().iter();
    files.find(|file| file["input"] == input).unwrap().clone()
}

/// Runs the program and checks how many files were done, skipped and failed.
#[track_caller]
fn comes_to(env: &TestEnv, args: &str, expected: [u64; 3]) {
    let run = env.run(args).exits(i32::from(expected[2] > 0));
    let report = env.report(args.split(' ').nth(1).unwrap());
    let counts = ["done", "skipped", "failed"].map(|status| report["counts"][status].as_u64());
    assert_eq!(counts, expected.map(Some), "{run}");
}

fn warning_codes(file: &Value) -> Vec<&str> {
    let warnings = file["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

#[test]
fn a_file_that_comes_to_an_outputs_place_during_a_run_is_never_replaced() {
    let env = inputs(1, 600);
    let args = "in out --ratio 0.8 -n";
    let mut run = Live::start(&env, args);
    run.wait_for_event("file-progress");
    env.write("out/00.wav", "precious");
    run.ends().exits(1);
    assert_eq!(file(&env, "in/00.wav")["error"]["code"], "output-exists");
    for _ in 0..2 {
        let run = env.run(args).exits(1);
        run.says(&["out/00.wav", "--if-exists overwrite"]);
        assert_eq!(file(&env, "in/00.wav")["error"]["code"], "output-changed");
        assert_eq!(env.read("out/00.wav"), b"precious");
    }
    env.run(&format!("{args} --if-exists overwrite")).succeeds();
    assert!(env.read("out/00.wav").len() > 100_000);
    comes_to(&env, args, [0, 1, 0]);
}

#[test]
fn an_edited_output_is_kept_and_told() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    let whole = env.read("out/a.wav");
    env.write("out/a.wav", "edited");
    for _ in 0..2 {
        comes_to(&env, "in out --ratio 0.8", [0, 2, 0]);
        assert_eq!(warning_codes(&file(&env, "in/a.wav")), ["output-changed"]);
        assert!(warning_codes(&file(&env, "in/b.wav")).is_empty());
    }
    // With other settings or a changed source, it would have to be made again.
    comes_to(&env, "in out --ratio 0.7", [1, 0, 1]);
    assert_eq!(file(&env, "in/a.wav")["error"]["code"], "output-changed");
    touch(&env, "in/a.wav");
    env.run("in out --ratio 0.8").exits(1);
    assert_eq!(env.read("out/a.wav"), b"edited");
    env.run("in out --ratio 0.8 --if-exists skip").succeeds();
    assert_eq!(env.read("out/a.wav"), b"edited");
    // If it is deleted, it is made again.
    fs::remove_file(env.path("out/a.wav")).unwrap();
    env.run("in out --ratio 0.8").succeeds();
    assert!(env.read("out/a.wav") == whole);
}

#[test]
fn an_output_that_is_edited_while_it_is_made_again_is_kept() {
    let env = inputs(1, 600);
    env.run("in out --ratio 0.9 -n").succeeds();
    let mut run = Live::start(&env, "in out --ratio 0.8 -n");
    run.wait_for_event("file-progress");
    env.write("out/00.wav", "edited");
    run.ends().exits(1);
    assert_eq!(env.read("out/00.wav"), b"edited");
    env.run("in out --ratio 0.8 -n").exits(1);
    assert_eq!(env.read("out/00.wav"), b"edited");
}

#[test]
fn a_text_file_of_somebody_beside_an_output_is_never_replaced() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("in/a.srt", SUBTITLES);
    env.write("out/a.srt", "mine");
    env.run("in out --ratio 0.5").succeeds();
    assert_eq!(warning_codes(&file(&env, "in/a.wav")), ["sidecar-exists"]);
    touch(&env, "in/a.wav");
    comes_to(&env, "in out --ratio 0.5", [1, 0, 0]);
    assert_eq!(env.read("out/a.srt"), b"mine");
    // Once it is out of the way, the program writes its own file, and later replaces that.
    fs::remove_file(env.path("out/a.srt")).unwrap();
    comes_to(&env, "in out --ratio 0.5", [1, 0, 0]);
    assert!(env.read("out/a.srt").starts_with(b"1\n00:00:00,0"));
    env.write("in/a.srt", SUBTITLES.replace("Hello", "Goodbye"));
    comes_to(&env, "in out --ratio 0.5", [1, 0, 0]);
    assert!(
        String::from_utf8(env.read("out/a.srt"))
            .unwrap()
            .contains("Goodbye")
    );
    // An edited file belongs to the user.
    env.write("out/a.srt", "edited");
    comes_to(&env, "in out --ratio 0.5", [0, 1, 0]);
    assert_eq!(warning_codes(&file(&env, "in/a.wav")), ["output-changed"]);
    comes_to(&env, "in out --ratio 0.6", [1, 0, 0]);
    assert_eq!(env.read("out/a.srt"), b"edited");
    env.run("in out --ratio 0.6 --if-exists overwrite")
        .succeeds();
    assert!(
        String::from_utf8(env.read("out/a.srt"))
            .unwrap()
            .contains("Goodbye")
    );
}

#[test]
fn a_text_file_that_is_gone_comes_back() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.write("in/a.srt", SUBTITLES);
    env.write("in/b.txt", "no labels at all");
    env.run("in out --ratio 0.5").succeeds();
    let whole = env.outputs("out");
    fs::remove_file(env.path("out/a.srt")).unwrap();
    comes_to(&env, "in out --ratio 0.5", [1, 1, 0]);
    assert!(env.outputs("out") == whole);
    comes_to(&env, "in out --ratio 0.5", [0, 2, 0]);
}

#[test]
fn text_files_that_would_be_written_to_one_place_are_refused() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/a.mp3", "one/b.wav", "two/b.mp3"]);
    for name in ["in/a.srt", "one/b.srt", "two/b.srt"] {
        env.write(name, SUBTITLES);
    }
    let pieces = ["in/a.mp3", "in/a.wav", "out/a.srt", "--no-sidecars"];
    env.refuses("in out --ratio 0.8", 2, &pieces);
    env.refuses("one two out --flatten --ratio 0.8", 2, &["out/b.srt"]);
    env.run("in out --ratio 0.8 --no-sidecars").succeeds();
    // Any text file may be beside the audio; one that contains no times is not written.
    env.write("in/a.srt", "no subtitles");
    env.run("in out2 --ratio 0.8").succeeds();
    assert_eq!(env.files("out2"), ["a.mp3", "a.wav"]);
}

#[test]
fn reports_and_time_maps_take_nobodys_place() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write(
        "in/a.json",
        r#"{"segments": [{"startTime": 0.1, "endTime": 0.2}]}"#,
    );
    env.write("in/a.srt", SUBTITLES);
    let refuses = |args: &str, piece: &str| {
        env.refuses(&format!("in out --ratio 0.8 {args}"), 2, &[piece]);
    };
    refuses(
        "--report in/a.json",
        "--report in/a.json: the report would overwrite",
    );
    refuses("--report out/a.srt", "would overwrite");
    refuses("--report-junit in/a.srt", "would overwrite");
    refuses("--report out/.audiostretchy.jsonl", "would overwrite");
    refuses(
        "--report x --report-junit ./out/../x",
        "would both write to",
    );
    let single = "in/a.wav out/a.wav --ratio 0.8";
    env.create_folder("out");
    for map in [
        "in/a.wav",
        "out/a.wav",
        "in/a.srt",
        "out/a.srt",
        "in/a.json",
    ] {
        let args = format!("{single} --time-map {map}");
        env.refuses(&args, 2, &["--time-map", "would overwrite"]);
    }
    let both = format!("{single} --report x --time-map x");
    env.refuses(&both, 2, &["--time-map and --report would both write to x"]);
    env.run(&format!("{single} --report x --time-map y"))
        .succeeds();
}

#[test]
fn an_input_folder_by_another_name_is_not_written_to() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3"]);
    env.create_folder("out");
    let before = env.tree_of("in");
    let script = "mount --bind in out || exit 99; \"$0\" in out --ratio 0.8 --if-exists overwrite";
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--mount", "--map-root-user", "bash", "-c", script])
        .arg(env.command(["-q"]).get_program())
        .current_dir(env.path(""));
    let output = command.output().unwrap();
    if output.status.code() == Some(99) || output.status.code() == Some(1) {
        eprintln!("skipped: no folder can be mounted here");
        return;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is an input"), "{said}");
    assert!(env.tree_of("in") == before);
}

#[test]
fn what_is_no_file_is_not_replaced_by_an_output() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out");
    env.tool("mkfifo", ["out/a.wav"]);
    for if_exists in ["resume", "overwrite", "skip"] {
        let args = format!("--ratio 0.8 --if-exists {if_exists}");
        let pieces = ["out/a.wav: is a device or a pipe", "choose another output"];
        env.refuses(&format!("in out {args}"), 2, &pieces);
        env.refuses(&format!("in/a.wav out/a.wav {args}"), 2, &pieces);
    }
    env.tool("mkfifo", ["map"]);
    let args = "in/a.wav b.wav --ratio 0.8 --time-map map";
    env.refuses(args, 2, &["map: is a device or a pipe"]);
}

#[test]
fn one_file_that_is_given_twice_is_taken_once() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    std::os::unix::fs::symlink("in", env.path("link")).unwrap();
    for args in [
        "in/a.wav ./in/a.wav out --ratio 0.8",
        "in in/a.wav in out --ratio 0.8",
        "in link out --ratio 0.8",
    ] {
        env.run(args).succeeds();
        let total = env.report("out")["counts"]["total"].as_u64().unwrap();
        assert_eq!(total as usize, env.files("out").len(), "{args}");
    }
}

#[test]
fn another_spelling_of_the_input_redoes_nothing() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.wav"]);
    std::os::unix::fs::symlink("in", env.path("link")).unwrap();
    env.run("in out --ratio 0.8").succeeds();
    let whole = env.path("in");
    for input in ["./in/", "link", "in/deep/..", whole.to_str().unwrap()] {
        let args = format!("{input} out --ratio 0.8");
        comes_to(&env, &args, [0, 2, 0]);
    }
    // The same files, named one by one.
    env.write("list", "a.wav\ndeep/b.wav\n");
    let mut command = env.command(["--files-from", "../list", "../out", "--ratio", "0.8"]);
    let status = command.current_dir(env.path("in")).status().unwrap();
    assert!(status.success());
    assert_eq!(env.report("out")["counts"]["skipped"], 2);
}

#[test]
fn outputs_of_earlier_runs_within_the_input_are_no_inputs() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.wav"]);
    comes_to(&env, "in in/fast --ratio 0.8", [2, 0, 0]);
    comes_to(&env, "in in/slow --ratio 1.2", [2, 0, 0]);
    comes_to(&env, "in out --ratio 0.8", [2, 0, 0]);
    // The user's own recordings in a folder that also contains outputs are inputs.
    env.run("in/deep in/deep --suffix _fast --ratio 0.8")
        .succeeds();
    comes_to(&env, "in out --ratio 0.8", [0, 2, 0]);
    // If the folder itself is given as the input, its files are inputs.
    comes_to(&env, "in/fast faster --ratio 0.8", [2, 0, 0]);
}

#[test]
fn a_run_beside_another_leaves_its_temporary_files_alone() {
    let env = TestEnv::with_short_speech(&["b.wav"]);
    long_input(&env, "in/a.wav", 600);
    let mut run = Live::start(&env, "in out --ratio 0.8 -n");
    run.wait_for_event("file-progress");
    // To a single file in the same folder, and to a folder within it.
    env.run("b.wav out/b.wav --ratio 0.8").succeeds();
    env.run("b.wav out/ --suffix _x --ratio 0.8").exits(75);
    env.run("b.wav out/within/ --ratio 0.8").succeeds();
    run.ends().exits(0);
    assert!(env.exists("out/a.wav"), "{env}");
}

#[test]
fn leftovers_of_single_files_are_removed_too() {
    let env = TestEnv::with_short_speech(&["b.wav"]);
    env.write("out/.audiostretchy-x1Y2z3.tmp", "half a file");
    env.run("b.wav out/b.wav --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["b.wav"]);
}

#[test]
fn subtitles_of_before_do_not_stay_beside_audio_that_was_made_again() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav", "in/c.wav"]);
    let make = || {
        for name in ["a", "b", "c"] {
            env.write(format!("in/{name}.srt"), SUBTITLES);
        }
        env.run("in out --ratio 0.8 --if-exists overwrite")
            .succeeds();
        assert_eq!(env.files("out").len(), 6);
    };
    make();
    // The sidecars are deleted, no longer understood, and deleted after the output was edited.
    fs::remove_file(env.path("in/a.srt")).unwrap();
    env.write("in/b.srt", "no subtitles");
    fs::remove_file(env.path("in/c.srt")).unwrap();
    env.write("out/c.srt", "edited");
    env.run("in out --ratio 0.5").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "b.wav", "c.srt", "c.wav"]);
    assert_eq!(env.read("out/c.srt"), b"edited");
    let codes = file(&env, "in/a.wav");
    assert_eq!(warning_codes(&codes), ["sidecar-removed"]);
    make();
    env.run("in out --ratio 0.8 --no-sidecars").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "b.wav", "c.wav"]);
}

#[test]
fn what_was_changed_is_told_on_the_screen() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    env.write("out/a.wav", "edited");
    let said = "warning: in/a.wav: a.wav was changed since it was made";
    env.run("in out --ratio 0.8").succeeds().says(&[said]);
    let quiet = env.run("in out --ratio 0.8 -q").succeeds();
    assert!(quiet.stderr.is_empty(), "{quiet}");
}

#[test]
fn an_output_that_two_killed_runs_have_left_is_still_ours() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    let journal = String::from_utf8(env.read("out/.audiostretchy.jsonl")).unwrap();
    let intended = journal.lines().next().unwrap();
    assert!(intended.starts_with("{\"intended\""), "{journal}");
    // One run was killed after its output had got its name, the other one before that.
    let size = intended.find("\"size\":").unwrap() + 7;
    let other = format!("{}9{}", &intended[..size], &intended[size..]);
    env.write("out/.audiostretchy.jsonl", format!("{intended}\n{other}\n"));
    comes_to(&env, "in out --ratio 0.8", [0, 1, 0]);
    comes_to(&env, "in out --ratio 0.5", [1, 0, 0]);
}

#[test]
fn reports_replace_nothing_that_is_read_and_no_media() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "old/b.wav"]);
    env.write("list", "in/a.wav\n");
    env.write("mine.toml", "speed = 1.25\n");
    env.write("in/film.wma", "not looked at");
    env.run("old made --ratio 0.8").succeeds();
    for (args, report) in [
        ("--files-from list out", "list"),
        ("in out --preset mine.toml", "./mine.toml"),
        ("in out", "made/.audiostretchy.jsonl"),
        ("in out", "in/film.wma"),
        ("in out", "old/b.wav"),
    ] {
        for option in ["--report", "--report-junit", "--report-markdown"] {
            let args = format!("{args} --ratio 0.8 {option} {report}");
            env.refuses(&args, 2, &[option, "would overwrite"]);
        }
    }
}

#[test]
fn a_link_to_standard_output_is_written_to_and_not_replaced() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    std::os::unix::fs::symlink("/proc/self/fd/1", env.path("stdout")).unwrap();
    for (out, option) in [("one", "--report"), ("two", "--report-markdown")] {
        let args = format!("in {out} --ratio 0.8 {option} stdout");
        let run = env.run(&args).succeeds();
        assert!(run.stdout.contains("a.wav"), "{run}");
    }
    let map = "in/a.wav b.wav --ratio 0.8 --time-map stdout";
    env.refuses(map, 2, &["stdout: is a device or a pipe"]);
    assert!(env.path("stdout").is_symlink());
}

#[test]
fn the_time_of_an_output_is_a_setting() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    touch(&env, "in/a.wav");
    comes_to(&env, "in out --ratio 0.8", [1, 0, 0]);
    comes_to(&env, "in out --ratio 0.8 --keep-mtime", [1, 0, 0]);
    comes_to(&env, "in out --ratio 0.8 --keep-mtime", [0, 1, 0]);
}

#[test]
fn an_output_of_an_earlier_run_that_was_replaced_is_told() {
    let env = TestEnv::with_short_speech(&["in/x/a.wav", "b.wav"]);
    env.run("in/x in/x --suffix _fast --ratio 0.8").succeeds();
    env.run("in out --ratio 0.8 -v").succeeds();
    assert_eq!(env.files("out"), ["x/a.wav"]);
    env.write("in/x/a_fast.wav", env.read("b.wav"));
    let said = "left out: in/x/a_fast.wav: an output of an earlier run that was changed since";
    env.run("in out --ratio 0.8 -v").succeeds().says(&[said]);
}

#[test]
fn a_file_system_in_memory_is_no_device() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no /dev/shm");
        return;
    };
    let out = memory.path().join("out");
    let args = ["in", out.to_str().unwrap(), "--ratio", "0.8"];
    env.run_args(args).succeeds();
    assert!(out.join("a.wav").is_file());
}
