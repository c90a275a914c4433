//! Impossible requests are refused before anything is written.

use crate::env::TestEnv;

#[test]
fn a_missing_input_is_named() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    env.refuses(
        "nowhere.wav out.wav",
        2,
        &["nowhere.wav: no such file or folder"],
    );
    env.refuses("nowhere out/", 2, &["nowhere: no such file or folder"]);
    env.refuses("a.wav nowhere out", 2, &["nowhere: no such file or folder"]);
}

#[test]
fn a_missing_output_is_asked_for() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    env.refuses("a.wav", 2, &["an output", "only one"]);
    env.refuses("", 2, &["INPUT... OUTPUT"]);
}

#[test]
fn a_folder_without_audio_ends_with_code_4() {
    let env = TestEnv::new();
    env.write("in/notes.txt", "text");
    env.refuses("in out", 4, &["no audio files found in in", "wav"]);
    env.create_folder("empty");
    env.refuses("empty out", 4, &["no audio files found in empty"]);
    env.refuses("empty in out", 4, &["no audio files found in empty, in"]);
    env.write("list", "\n");
    let pieces = ["no audio files found, as the list of files is empty; known"];
    env.refuses("--files-from list out", 4, &pieces);
}

#[test]
fn two_inputs_with_one_output_are_named() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/a.mp3"]);
    let both = ["in/a.wav", "in/a.mp3", "out/a.mp3", "rename"];
    env.refuses("in out --format mp3", 2, &both);
}

#[test]
fn files_of_one_name_in_two_folders_collide_in_the_output() {
    let env = TestEnv::with_short_speech(&["one/a.wav", "two/a.wav"]);
    env.refuses("one two out", 2, &["one/a.wav and two/a.wav", "out/a.wav"]);
    env.refuses("one/a.wav two/a.wav out", 2, &["one/a.wav and two/a.wav"]);
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_differ_only_in_case_are_one_output() {
    let env = TestEnv::with_short_speech(&["in/Über.wav", "in/über.wav"]);
    env.refuses("in out", 2, &["in/Über.wav", "in/über.wav", "would both"]);
}

#[test]
fn an_output_that_is_an_input_is_refused_even_with_leave_to_overwrite() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    for args in [
        "in/a.wav in/a.wav",
        "in/a.wav in/../in/a.wav",
        "in in",
        "in in/.",
        "in/a.wav in",
    ] {
        let args = format!("{args} --if-exists overwrite");
        env.refuses(&args, 2, &["a.wav", "is an input", "another output"]);
    }
}

#[test]
#[cfg(unix)]
fn an_output_that_is_an_input_by_another_name_is_refused() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    std::os::unix::fs::symlink("in/a.wav", env.path("link.wav")).unwrap();
    std::os::unix::fs::symlink("in", env.path("folder")).unwrap();
    for args in ["in/a.wav link.wav", "link.wav in/a.wav", "in folder"] {
        let args = format!("{args} --if-exists overwrite");
        env.refuses(&args, 2, &["is an input"]);
    }
}

#[test]
fn an_output_folder_within_the_input_is_not_eaten_by_the_next_run() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.wav"]);
    for _ in 0..3 {
        env.run("in in/out --ratio 0.8 --if-exists overwrite")
            .succeeds();
        assert_eq!(env.files("in/out"), ["a.wav", "deep/b.wav"]);
        assert_eq!(env.report("in/out")["counts"]["total"], 2);
    }
}

#[test]
fn several_inputs_do_not_fit_into_a_file() {
    let env = TestEnv::with_short_speech(&["a.wav", "in/b.wav", "old.wav"]);
    let pieces = ["old.wav: is a file", "give a folder"];
    env.refuses("a.wav in old.wav --if-exists overwrite", 2, &pieces);
    env.refuses("in old.wav --if-exists overwrite", 2, &pieces);
}

#[test]
fn a_file_is_not_written_over_a_folder() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out/a.wav");
    let pieces = ["out/a.wav: is a folder where in/a.wav is to be written"];
    env.refuses("in out --if-exists overwrite", 2, &pieces);
    env.refuses("in out --if-exists skip", 2, &pieces);
}

#[test]
fn an_output_folder_that_cannot_be_made_is_named() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("file", "");
    let pieces = ["file/out: cannot write there"];
    env.refuses("in file/out --ratio 1", 2, &pieces);
    env.refuses("in/a.wav file/out/a.wav --ratio 1", 2, &pieces);
}

#[test]
fn an_output_name_must_tell_a_format() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    let pieces = ["cannot tell a format", ".wav or .mp3", "--format", "folder"];
    env.refuses("a.wav out", 2, &pieces);
    env.refuses("a.wav out.xyz", 2, &pieces);
    env.run("a.wav out.xyz --format mp3").succeeds();
    assert_eq!(env.probe("out.xyz")["codec_name"], "mp3");
}

#[test]
fn an_output_name_must_not_contradict_the_format() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    let pieces = ["out.mp3", "the name says mp3", "--format says wav"];
    env.refuses("a.wav out.mp3 --format wav", 2, &pieces);
    env.refuses("- out.mp3 --format wav", 2, &pieces);
}

#[test]
fn with_strict_inputs_whose_format_cannot_be_kept_are_listed_with_the_option_that_helps() {
    let env = TestEnv::new();
    for number in 1..=7 {
        env.write(format!("in/{number}.mka"), "never opened");
    }
    env.write("in/a.wav", "never opened");
    let pieces = [
        "7 files: in/1.mka, in/2.mka",
        "in/5.mka and 2 more",
        "--format wav|mp3",
    ];
    env.refuses("in out --strict", 2, &pieces);
    env.refuses("in/1.mka out/ --strict", 2, &["1 file: in/1.mka;"]);
}

#[test]
fn a_report_never_overwrites_audio() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.wav"]);
    for report in ["in/a.wav", "out/a.wav", "./out/deep/b.wav"] {
        let pieces = [report, "the report would overwrite", "--report"];
        env.refuses(&format!("in out --ratio 1 --report {report}"), 2, &pieces);
    }
    env.refuses(
        "in/a.wav a.wav --ratio 1 --report a.wav",
        2,
        &["would overwrite"],
    );
}

#[test]
fn nothing_is_done_where_one_of_many_inputs_is_wrong() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav", "out/b.wav"]);
    env.refuses(
        "in out --if-exists error",
        2,
        &["1 output is already there: out/b.wav"],
    );
    assert!(!env.exists("out/a.wav"));
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_and_not_waited_on() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.tool("mkfifo", ["in/pipe.wav"]);
    env.refuses(
        "in/pipe.wav out.wav",
        2,
        &["in/pipe.wav: is neither a file nor a folder"],
    );
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.files("out"), ["a.wav"]);
}
