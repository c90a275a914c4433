//! Tests the HTTP service with curl.

#[path = "../../../tests/support/probe.rs"]
mod probe;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use probe::probe;

fn recording(name: &str) -> PathBuf {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/recordings");
    recordings.join(name)
}

/// A running service, and a folder for the files that it sends.
struct Service {
    process: Child,
    address: String,
    log: Receiver<String>,
    folder: TempDir,
}

impl Service {
    /// Starts a service that accepts uploads of up to this many MiB.
    fn start(max_mib: u32) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_audiostretchy-http-service"))
            .args(["127.0.0.1:0", &max_mib.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (send, log) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let first = log.recv_timeout(Duration::from_secs(30)).unwrap();
        Self {
            address: first.strip_prefix("listening on ").unwrap().to_owned(),
            process,
            log,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Returns a curl command that sends a file with more fields. The status and headers of the
    /// response go to standard output, its body to a file.
    fn curl(&self, file: &Path, fields: &[&str], body: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--dump-header", "-", "--output"])
            .arg(self.folder.path().join(body))
            .arg("--form")
            .arg(format!("file=@{}", file.display()));
        for field in fields {
            curl.args(["--form", field]);
        }
        curl.arg(format!("{}/stretch", self.address));
        curl
    }

    /// Sends a file and returns the status, the headers in lower case, and the body.
    fn send(&self, file: &Path, fields: &[&str]) -> (u16, String, Vec<u8>) {
        let output = self.curl(file, fields, "body").output().unwrap();
        let (status, headers) = status(&output);
        let body = std::fs::read(self.folder.path().join("body")).unwrap();
        (status, headers, body)
    }

    /// Sends a file that must be refused, and returns the status and the error's code and message.
    fn refused(&self, file: &Path, fields: &[&str]) -> (u16, String, String) {
        let (status, headers, body) = self.send(file, fields);
        assert!(
            headers.contains("content-type: application/json"),
            "{headers}"
        );
        let body: Value = serde_json::from_slice(&body).unwrap();
        let text = |key: &str| body["error"][key].as_str().unwrap().to_owned();
        (status, text("code"), text("message"))
    }

    /// Waits for a line of the log that starts with `start`.
    fn wait_for(&self, start: &str) {
        let until = Instant::now() + Duration::from_secs(120);
        while let Ok(line) = self.log.recv_timeout(until - Instant::now()) {
            if line.starts_with(start) {
                return;
            }
        }
        panic!("the service never said {start:?}");
    }

    /// Returns the most memory that the service has used, in KiB, without the code of the program
    /// itself, of which there is a lot in a build without optimisation.
    #[cfg(target_os = "linux")]
    fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let field = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        field("VmHWM:") - field("RssFile:")
    }

    #[cfg(unix)]
    fn interrupt(&self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn status(output: &Output) -> (u16, String) {
    let headers = String::from_utf8(output.stdout.clone()).unwrap();
    // An interim response (`100 Continue`) may come before the final one.
    let last = headers.rfind("HTTP/1.1 ").unwrap_or_else(|| {
        panic!("no answer: {}", String::from_utf8_lossy(&output.stderr));
    });
    let headers = headers[last..].to_ascii_lowercase();
    (headers[9..12].parse().unwrap(), headers)
}

/// Writes a tone of a whole number of seconds as a 16-bit mono WAV file at 48 kHz.
fn tone(path: &Path, seconds: u32) {
    let data_len = seconds * 96_000;
    let mut wav = std::io::BufWriter::new(File::create(path).unwrap());
    wav.write_all(b"RIFF").unwrap();
    wav.write_all(&(36 + data_len).to_le_bytes()).unwrap();
    wav.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0").unwrap();
    wav.write_all(&48_000u32.to_le_bytes()).unwrap();
    wav.write_all(&96_000u32.to_le_bytes()).unwrap();
    wav.write_all(b"\x02\0\x10\0data").unwrap();
    wav.write_all(&data_len.to_le_bytes()).unwrap();
    for n in 0..data_len / 2 {
        let n = f64::from(n);
        let sample = (n * 0.02).sin() * (n * 0.00007).cos() * 12_000.0;
        wav.write_all(&(sample as i16).to_le_bytes()).unwrap();
    }
    wav.flush().unwrap();
}

#[test]
fn good_audio_comes_back_stretched_with_its_type_and_name() {
    let service = Service::start(10);
    for (name, fields, media_type, file_name, codec) in [
        (
            "lectures/scaling.wav",
            &["ratio=0.8"][..],
            "audio/wav",
            "scaling.wav",
            "pcm_s16le",
        ),
        (
            "stories/lighthouse.mp3",
            &["ratio=0.8"],
            "audio/mpeg",
            "lighthouse.mp3",
            "mp3",
        ),
        (
            "stories/langsam.ogg",
            &["ratio=0.8", "preset=speech", "format=flac"],
            "audio/flac",
            "langsam.flac",
            "flac",
        ),
    ] {
        let input = recording(name);
        let (status, headers, body) = service.send(&input, fields);
        assert_eq!(status, 200, "{headers}");
        for header in [
            &format!("content-type: {media_type}"),
            &format!("content-length: {}", body.len()),
            &format!("filename=\"{file_name}\""),
        ] {
            assert!(headers.contains(header), "{header} in {headers}");
        }
        let (found, _, seconds) = probe(&service.folder.path().join("body"));
        assert_eq!(found, codec);
        assert!((seconds / (0.8 * probe(&input).2) - 1.0).abs() < 0.05);
    }
}

#[test]
fn what_comes_back_is_what_the_library_writes() {
    let service = Service::start(10);
    let input = recording("stories/lighthouse.mp3");
    let (status, _, body) = service.send(&input, &["ratio=1.5"]);
    assert_eq!(status, 200);
    let expected = service.folder.path().join("expected.mp3");
    let options = audiostretchy::StretchOptions {
        ratio: 1.5,
        ..audiostretchy::StretchOptions::default()
    };
    audiostretchy::stretch_audio(
        input,
        &expected,
        &options,
        &audiostretchy::OutputOptions::default(),
    )
    .unwrap();
    assert!(body == std::fs::read(expected).unwrap());
}

#[test]
fn names_in_any_script_come_back() {
    let service = Service::start(10);
    let file = service.folder.path().join("Größe 音.wav");
    tone(&file, 1);
    let (status, headers, _) = service.send(&file, &["ratio=0.5"]);
    assert_eq!(status, 200);
    assert!(headers.contains("filename=\"gr__e _.wav\""), "{headers}");
    assert!(
        headers.contains("filename*=utf-8''gr%c3%b6%c3%9fe%20%e9%9f%b3.wav"),
        "{headers}"
    );
}

#[test]
fn bad_input_is_answered_with_a_reason() {
    let service = Service::start(1);
    let good = recording("stories/sea.wav");
    let junk = service.folder.path().join("junk.mp3");
    std::fs::write(&junk, "this is text").unwrap();
    let half = service.folder.path().join("half.wav");
    std::fs::write(&half, &std::fs::read(&good).unwrap()[..9000]).unwrap();
    let large = service.folder.path().join("large.wav");
    tone(&large, 20);
    for (file, fields, status, code, message) in [
        (
            &good,
            &["ratio=9"][..],
            422,
            "invalid-parameter",
            "ratio is 9: it must be",
        ),
        (
            &good,
            &["ratio=fast"],
            422,
            "invalid-parameter",
            "ratio is fast",
        ),
        (
            &good,
            &["preset=opera"],
            422,
            "invalid-parameter",
            "one of fast, music",
        ),
        (
            &good,
            &["preset=/etc/passwd"],
            422,
            "invalid-parameter",
            "one of fast",
        ),
        (&good, &["format=docx"], 422, "invalid-parameter", "docx"),
        (
            &good,
            &["tempo=2"],
            400,
            "bad-request",
            "\"tempo\" is not known",
        ),
        (&junk, &["ratio=0.5"], 415, "not-audio", "not audio"),
        (&half, &["ratio=0.5"], 422, "damaged", "truncated"),
        (&large, &["ratio=0.5"], 413, "too-large", "larger"),
    ] {
        let found = service.refused(file, fields);
        assert_eq!((found.0, found.1.as_str()), (status, code), "{fields:?}");
        assert!(found.2.contains(message), "{}", found.2);
    }
    let no_form = Command::new("curl")
        .args(["--silent", "--dump-header", "-", "--data", "x=1"])
        .arg(format!("{}/stretch", service.address))
        .output()
        .unwrap();
    assert_eq!(status(&no_form).0, 400);
    assert_eq!(service.send(&good, &["ratio=0.5"]).0, 200, "it goes on");
}

#[test]
fn work_stops_when_its_client_goes_away() {
    let service = Service::start(100);
    let long = service.folder.path().join("long.wav");
    tone(&long, 600);
    let fields = ["ratio=4", "format=mp3"];
    let mut curl = service.curl(&long, &fields, "gone").spawn().unwrap();
    service.wait_for("stretching \"long.wav\"");
    curl.kill().unwrap();
    curl.wait().unwrap();
    service.wait_for("the client is gone: stopped \"long.wav\"");
    assert_eq!(service.send(&recording("stories/sea.wav"), &[]).0, 200);
}

#[test]
fn half_an_upload_does_no_harm() {
    let service = Service::start(100);
    let long = service.folder.path().join("long.wav");
    tone(&long, 60);
    let mut curl = service.curl(&long, &[], "gone");
    let mut curl = curl.args(["--limit-rate", "200k"]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    curl.kill().unwrap();
    curl.wait().unwrap();
    assert_eq!(service.send(&recording("stories/sea.wav"), &[]).0, 200);
}

#[test]
#[cfg(target_os = "linux")]
fn fifty_requests_at_once_are_all_answered_in_bounded_memory() {
    const REQUESTS: usize = 50;
    let service = Service::start(10);
    let file = service.folder.path().join("tone.wav");
    tone(&file, 60);
    let all: Vec<(String, Child)> = (0..REQUESTS)
        .map(|n| {
            let body = format!("body{n}");
            let mut curl = service.curl(&file, &["ratio=1.5"], &body);
            (body, curl.stdout(Stdio::piped()).spawn().unwrap())
        })
        .collect();
    let mut first = None;
    for (body, curl) in all {
        let output = curl.wait_with_output().unwrap();
        assert_eq!(status(&output).0, 200);
        let bytes = std::fs::read(service.folder.path().join(body)).unwrap();
        assert!(first.get_or_insert_with(|| bytes.clone()) == &bytes);
    }
    // The uploads alone are 280 MiB and the outputs 420 MiB.
    let most = service.most_memory();
    assert!(most < 100 * 1024, "{most} KiB");
}

#[test]
#[cfg(unix)]
fn asked_to_stop_it_finishes_what_is_running() {
    let mut service = Service::start(100);
    let file = service.folder.path().join("tone.wav");
    tone(&file, 120);
    let mut curl = service.curl(&file, &["format=mp3"], "body");
    let curl = curl.stdout(Stdio::piped()).spawn().unwrap();
    service.wait_for("stretching \"tone.wav\"");
    service.interrupt();
    assert_eq!(status(&curl.wait_with_output().unwrap()).0, 200);
    assert_eq!(probe(&service.folder.path().join("body")).0, "mp3");
    assert!(service.process.wait().unwrap().success());
}
