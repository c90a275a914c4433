//! Outputs that already exist.

use crate::env::TestEnv;

#[test]
fn error_lists_them_and_names_the_ways_out() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav", "out/a.wav", "out/b.wav"]);
    let pieces = [
        "2 outputs are already there: out/a.wav, out/b.wav",
        "--if-exists overwrite",
        "skip",
    ];
    env.refuses("in out --if-exists error --ratio 0.8", 2, &pieces);
}

#[test]
fn an_existing_file_is_not_overwritten_without_leave() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    env.write("b.wav", "precious");
    env.refuses("a.wav b.wav", 2, &["b.wav", "--if-exists overwrite"]);
    env.run("a.wav b.wav --if-exists overwrite --ratio 1")
        .succeeds();
    assert!(env.decode("b.wav") == env.decode("a.wav"));
}

#[test]
fn skip_leaves_them_and_does_the_rest() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.write("out/a.wav", "precious");
    env.run("in out --if-exists skip --ratio 0.8")
        .succeeds()
        .says(&["1 done, 1 skipped"]);
    assert_eq!(env.read("out/a.wav"), b"precious");
    assert!(env.decode("out/b.wav").len() > 3000);
    let report = env.report("out");
    assert_eq!(report["counts"]["skipped"], 1);
    assert_eq!(report["files"][0]["status"], "skipped");
    assert_eq!(report["files"][0]["reason"], "the output exists");
    assert_eq!(report["files"][1]["status"], "done");
}

#[test]
fn a_second_run_that_skips_has_nothing_to_do() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.mp3"]);
    env.run("in out --ratio 0.8").succeeds();
    let first = env
        .files("out")
        .into_iter()
        .map(|name| env.read(format!("out/{name}")));
    let first: Vec<_> = first.collect();
    env.run("in out --ratio 0.5 --if-exists skip")
        .succeeds()
        .says(&["2 skipped"]);
    let second = env
        .files("out")
        .into_iter()
        .map(|name| env.read(format!("out/{name}")));
    assert!(first == second.collect::<Vec<_>>());
}

#[test]
fn overwrite_replaces_them_with_equal_files() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/deep/c.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    let first = env.outputs("out");
    env.run("in out --ratio 0.8 --if-exists overwrite")
        .succeeds();
    assert!(env.outputs("out") == first);
    env.run("in out --ratio 0.6 --if-exists overwrite")
        .succeeds();
    assert!(env.outputs("out") != first);
}

#[test]
fn a_file_that_fails_leaves_the_old_output_as_it_was() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let whole = env.read("in/a.wav");
    env.write("in/a.wav", &whole[..whole.len() / 2]);
    env.write("out/a.wav", "precious");
    env.run("in out --if-exists overwrite --ratio 1").exits(1);
    assert_eq!(env.read("out/a.wav"), b"precious");
    assert_eq!(env.files("out"), ["a.wav"]);
}
