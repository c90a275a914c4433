//! The GitHub action: its script, with what a workflow gives it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::env::{Run, TestEnv};

/// Creates a folder with a program to find, where `program` is the built one or a script.
fn workspace(program: Option<&str>) -> TestEnv {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("bin");
    let place = env.path("bin/audiostretchy");
    if program.is_none() {
        let built = env!("CARGO_BIN_EXE_audiostretchy");
        std::os::unix::fs::symlink(built, place).unwrap();
    }
    env
}

/// Runs the script with these variables, as a step of a workflow.
fn action<'a>(env: &'a TestEnv, variables: &[(&str, &str)]) -> Run<'a> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/action");
    let mut command = Command::new(script);
    command
        .current_dir(env.path(""))
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", env.path("bin").display()),
        )
        .env("HOME", env.path("home"))
        .env("CARGO_HOME", env.path("cargo"))
        .env("GITHUB_STEP_SUMMARY", env.path("summary.md"))
        .env("GITHUB_OUTPUT", env.path("outputs"))
        .stdin(Stdio::null());
    for (name, value) in variables {
        command.env(format!("AUDIOSTRETCHY_{name}"), value);
    }
    Run::of(env, command)
}

fn outputs(env: &TestEnv) -> Vec<String> {
    let text = String::from_utf8(env.read("outputs")).unwrap();
    text.lines().map(String::from).collect()
}

#[test]
fn inputs_and_projects_are_carried_out_with_a_summary_and_outputs() {
    let env = workspace(None);
    let inputs = [("INPUTS", "in\n"), ("OUTPUT", "out"), ("SPEED", "2")];
    action(&env, &inputs).succeeds();
    assert_eq!(env.files("out"), ["a.wav"]);
    assert_eq!(outputs(&env)[..2], ["done=1", "failed=0"]);
    assert_eq!(outputs(&env)[3], "audiostretchy-report.json");
    let summary = String::from_utf8(env.read("summary.md")).unwrap();
    assert!(
        summary.starts_with("## audiostretchy: success"),
        "{summary}"
    );

    env.write(
        "p.toml",
        "[[job]]\nname = \"x y\"\ninputs = \"in\"\noutput = \"two\"\nspeed = 3\n",
    );
    env.write("in/broken.wav", "no audio");
    fs::remove_file(env.path("outputs")).unwrap();
    let project = [
        ("PROJECT", "p.toml"),
        ("JOB", "x y"),
        ("PARTITION", "1/1"),
        ("ARGS", "-q\n--timeout\n5m"),
        ("REPORT", "r.json"),
    ];
    action(&env, &project).exits(1);
    assert!(env.exists("two/a.wav"));
    assert_eq!(outputs(&env)[..2], ["done=1", "failed=1"]);
    assert_eq!(outputs(&env)[3], "r.json");
    // Where nothing was run, the report of before is not told of.
    fs::remove_file(env.path("outputs")).unwrap();
    action(&env, &[("PROJECT", "none.toml"), ("REPORT", "r.json")]).exits(2);
    assert_eq!(outputs(&env)[..2], ["done=0", "failed=0"]);
    assert_eq!(outputs(&env)[3], "");
}

#[test]
fn no_input_is_taken_for_code_or_for_an_option() {
    let env = workspace(None);
    let audio = env.read("in/a.wav");
    let hostile = [
        "$(touch hacked)",
        "`touch hacked`",
        "; touch hacked; #",
        "' \" \\ & | > hacked",
        "--version",
        "* ? [a] ~ {b,c}",
        "%s %n ::set-output name=a::b",
    ];
    for name in hostile {
        env.write(format!("{name}/a.wav"), &audio);
    }
    for name in hostile {
        let out = format!("out {name}");
        let inputs = [
            ("INPUTS", name),
            ("OUTPUT", &out),
            ("SPEED", "2"),
            ("REPORT", "--r $(touch hacked).json"),
        ];
        action(&env, &inputs).succeeds();
        assert_eq!(env.files(&out), ["a.wav"], "{name}");
    }
    assert!(outputs(&env).contains(&"--r $(touch hacked).json".to_owned()));
    for (name, value) in [
        ("SPEED", "2; touch hacked"),
        ("SPEED", "$(touch hacked)"),
        ("PRESET", "x\" $(touch hacked)\n--version"),
        ("PARTITION", "1/1 -v\ntouch hacked"),
        ("ARGS", "$(touch hacked)"),
        ("INPUTS", "-"),
        ("OUTPUT", "-"),
    ] {
        let mut inputs = vec![("INPUTS", "in"), ("OUTPUT", "o2"), ("SPEED", "2")];
        inputs.retain(|(known, _)| *known != name);
        inputs.push((name, value));
        action(&env, &inputs).exits(2);
    }
    // Nothing in the outputs or the log is a command to GitHub but the error.
    let run = action(&env, &[("INPUTS", "in"), ("SPEED", "1")]).exits(2);
    assert_eq!(run.stdout, "::error::inputs need an output\n");
    assert!(!env.exists("hacked"), "{env}");
    assert!(!env.exists("o2"), "{env}");
}

#[test]
fn a_program_that_is_not_there_is_built_from_the_actions_folder() {
    use std::os::unix::fs::PermissionsExt;
    let env = workspace(Some("none"));
    let cargo = format!(
        "#!/bin/sh\necho \"$@\" > \"$HOME/../cargo-args\"\nmkdir -p \"$CARGO_HOME/bin\"\n\
         ln -s {} \"$CARGO_HOME/bin/audiostretchy\"\n",
        env!("CARGO_BIN_EXE_audiostretchy")
    );
    env.create_folder("home");
    env.write("bin/cargo", cargo);
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(env.path("bin/cargo"), all).unwrap();
    let inputs = [("INPUTS", "in"), ("OUTPUT", "out"), ("SPEED", "2")];
    action(&env, &inputs).succeeds();
    let folder = env!("CARGO_MANIFEST_DIR");
    assert_eq!(
        String::from_utf8(env.read("cargo-args")).unwrap(),
        format!("install --locked --path {folder}\n")
    );
}

#[test]
fn the_action_hands_its_inputs_over_in_the_environment_alone() {
    let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    let action = fs::read_to_string(action).unwrap();
    for line in action.lines().filter(|line| line.contains("${{")) {
        let is_variable = line.starts_with("        AUDIOSTRETCHY_");
        assert!(is_variable || line.contains("value: ${{ steps."), "{line}");
    }
    assert!(action.contains("run: '\"$GITHUB_ACTION_PATH/scripts/action\"'"));
}
