//! A service that stretches audio. It accepts `POST /stretch` with a multipart form, as web pages
//! and curl send it, and returns the stretched file.
//!
//! ```sh
//! cargo run --release -p audiostretchy-http-service -- 127.0.0.1:8080 100
//! curl -F file=@talk.mp3 -F ratio=0.8 -F format=flac -OJ http://127.0.0.1:8080/stretch
//! ```
//!
//! The arguments are the address and the largest size of an upload in MiB. The fields are `file`
//! and, optionally, `ratio`, `preset` (a built-in one) and `format`. Errors are returned as JSON,
//! such as
//! `{"error": {"code": "invalid-parameter", "message": "ratio is 9: it must be from 0.25 to 4"}}`:
//!
//! | status | |
//! | --- | --- |
//! | 400 | no form, no file in it, or a field that is not known |
//! | 413 | the upload is too large |
//! | 415 | not audio, or audio that cannot be read |
//! | 422 | a ratio, preset or format that does not exist or fit, or audio too damaged |
//! | 503 | too many requests at once |
//!
//! Uploads are written to temporary files as they arrive, and the audio is processed block by
//! block, so memory use does not grow with the files. As many files as there are processors are
//! processed at a time, on their own threads. Further requests wait, up to a limit beyond which
//! they are refused. If a client disconnects, its work is stopped. Ctrl-C and SIGTERM let running
//! requests finish.
//!
//! A proxy in front of it has to provide encryption, passwords, and timeouts for slow clients.
#![allow(clippy::print_stdout, clippy::print_stderr)] // The log of the service.

use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, Seek};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use audiostretchy::preset::{Layer, PresetStore, Settings};
use audiostretchy::{Conversion, Error, Format, Input};
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;

/// The largest number of open requests, including those that wait.
const MAX_REQUESTS: usize = 64;
/// The largest size in bytes of a field other than the file.
const MAX_FIELD: usize = 200;

struct Service {
    max_upload: usize,
    requests: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

fn main() -> Result<(), Box<dyn StdError>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Each has a heap of its own, and hundreds would wait for the disk at once.
        .max_blocking_threads(32)
        .build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn StdError>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let max_mib: usize = arguments.next().map_or(Ok(100), |most| most.parse())?;
    let max_upload = max_mib << 20;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let service = Arc::new(Service {
        max_upload,
        requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
        workers: Arc::new(Semaphore::new(processors)),
    });
    let router = Router::new()
        .route("/stretch", post(stretch))
        .layer(DefaultBodyLimit::max(max_upload))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    println!("stopped");
    Ok(())
}

/// Waits for a signal to stop the service. A second signal ends the program.
async fn asked_to_stop() {
    signal().await;
    println!("finishing what is running");
    tokio::spawn(async {
        signal().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

async fn stretch(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    // The permit is held until the last byte has been sent.
    let request = service.requests.clone().try_acquire_owned();
    let request = request.map_err(|_| Failure::busy())?;
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > service.max_upload) {
        return Err(Failure::too_large());
    }
    let form = form.map_err(|error| Failure::bad_request(error.body_text()))?;
    let upload = Upload::receive(form).await?;
    let name = upload.name.clone();
    let format = upload.conversion.encoding.format.unwrap_or(Format::Wav);

    // Requests wait here until a worker is free.
    let worker = service.workers.clone().acquire_owned().await;
    let worker = worker.expect("the semaphore is never closed");
    let guard = CancelOnDrop::default();
    let cancelled = Arc::clone(&guard.0);
    let work = tokio::task::spawn_blocking(move || {
        // The permit is held until the work has really stopped, even if nobody waits for it any
        // more.
        let _worker = worker;
        upload.stretch(&cancelled)
    });
    let result = work.await.map_err(|error| Failure::internal(&error))?;
    let file = result?;
    let length = file.metadata().map_err(|error| Failure::internal(&error))?;

    // The client may take its time: sending does not occupy a worker.
    let stream = ReaderStream::new(WithPermit {
        file: tokio::fs::File::from_std(file),
        _request: request,
    });
    let disposition = content_disposition(&output_name(&name, format));
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type(format)),
    );
    headers.insert(header::CONTENT_LENGTH, length.len().into());
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// A finished file, with the permit of its request, which is held until the file has been sent.
struct WithPermit {
    file: tokio::fs::File,
    _request: tokio::sync::OwnedSemaphorePermit,
}

impl tokio::io::AsyncRead for WithPermit {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.file).poll_read(context, buffer)
    }
}

/// Stops the work when the request that waits for it is dropped, which happens when a client closes
/// its connection.
#[derive(Default)]
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A form that was received completely.
struct Upload {
    /// The file's name, as sent by the client.
    name: String,
    /// The content, in a temporary file without a name.
    file: File,
    conversion: Conversion,
}

impl Upload {
    async fn receive(mut form: Multipart) -> Result<Self, Failure> {
        let mut upload = None;
        let mut preset = None;
        let mut ratio = None;
        let mut format = None;
        while let Some(field) = form.next_field().await? {
            match field.name() {
                Some("file") => {
                    let name = field.file_name().unwrap_or("audio").to_owned();
                    upload = Some((name, spool(field).await?));
                }
                Some("preset") => preset = Some(text(field).await?),
                Some("ratio") => {
                    let text = text(field).await?;
                    let problem =
                        || Failure::invalid(&format!("ratio is {text}: it must be a number"));
                    ratio = Some(text.trim().parse().map_err(|_| problem())?);
                }
                Some("format") => {
                    let text = text(field).await?;
                    let names = Format::ALL.map(Format::name).join(", ");
                    let problem = || {
                        Failure::invalid(&format!("format is {text}: it must be one of {names}"))
                    };
                    format = Some(Format::from_name(text.trim()).ok_or_else(problem)?);
                }
                other => {
                    let name = other.unwrap_or_default();
                    let message = format!(
                        "the field {name:?} is not known: send file, ratio, preset and format"
                    );
                    return Err(Failure::bad_request(message));
                }
            }
        }
        let missing = || Failure::bad_request("the field \"file\" is missing".into());
        let (name, file) = upload.ok_or_else(missing)?;
        let mut settings = settings(preset.as_deref())?;
        if let Some(ratio) = ratio {
            settings.stretch.ratio = ratio;
        }
        // Check this before the file has to wait.
        let checked = settings.stretch.validate();
        checked.map_err(|error| Failure::invalid(&error))?;
        let mut encoding = settings.output;
        let extension = Path::new(&name).extension().and_then(|name| name.to_str());
        let own = extension.and_then(Format::kept_from_extension);
        encoding.format = format.or(encoding.format).or(own).or(Some(Format::Wav));
        Ok(Self {
            name,
            file,
            conversion: Conversion {
                stretch: settings.stretch,
                encoding,
                ..Conversion::default()
            },
        })
    }

    /// Stretches the file into another temporary file. This blocks the thread.
    fn stretch(self, cancelled: &AtomicBool) -> Result<File, Failure> {
        let go_on = |_| match cancelled.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let failed = |error: io::Error| Failure::internal(&error);
        println!("stretching {:?}", self.name);
        let mut input = Input::from_reader(self.file).map_err(failed)?;
        if let Some(extension) = Path::new(&self.name).extension().and_then(|e| e.to_str()) {
            input = input.with_hint(extension);
        }
        let mut output = tempfile::tempfile().map_err(failed)?;
        match self.conversion.to_writer(&input, &mut output, go_on) {
            Ok(_) => println!("done with {:?}", self.name),
            Err(Error::Cancelled) => {
                println!("the client is gone: stopped {:?}", self.name);
                return Err(Failure::bad_request("the client is gone".into()));
            }
            Err(error) => return Err(Failure::of(&error)),
        }
        output.rewind().map_err(failed)?;
        Ok(output)
    }
}

/// Returns the settings of a built-in preset; a client must not have access to preset files on this
/// machine.
fn settings(preset: Option<&str>) -> Result<Settings, Failure> {
    let store = PresetStore::default();
    let presets = store.list().map_err(|error| Failure::invalid(&error))?;
    let is_known = |name: &str| presets.iter().any(|preset| preset.name == name);
    if let Some(name) = preset.filter(|name| !is_known(name)) {
        let names: Vec<_> = presets.iter().map(|preset| preset.name.as_str()).collect();
        let names = names.join(", ");
        let message = format!("preset is {name}: it must be one of {names}");
        return Err(Failure::invalid(&message));
    }
    let resolved = store.resolve(preset.map(str::as_ref), &Layer::default());
    Ok(resolved.map_err(|error| Failure::invalid(&error))?.settings)
}

/// Writes a field to a temporary file as it arrives.
async fn spool(mut field: Field<'_>) -> Result<File, Failure> {
    let file = tempfile::tempfile().map_err(|error| Failure::internal(&error))?;
    let mut file = tokio::fs::File::from_std(file);
    while let Some(bytes) = field.chunk().await? {
        let result = file.write_all(&bytes).await;
        result.map_err(|error| Failure::internal(&error))?;
    }
    let result = file.flush().await;
    result.map_err(|error| Failure::internal(&error))?;
    Ok(file.into_std().await)
}

/// Reads a short field.
async fn text(mut field: Field<'_>) -> Result<String, Failure> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await? {
        text.extend_from_slice(&bytes);
        if text.len() > MAX_FIELD {
            let name = field.name().unwrap_or_default();
            let message = format!("the field {name:?} is longer than {MAX_FIELD} bytes");
            return Err(Failure::bad_request(message));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Returns the name of the output, without any folder.
fn output_name(input: &str, format: Format) -> String {
    let name = input.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
    format!("{}.{}", stem.unwrap_or("audio"), format.extensions()[0])
}

/// Returns the header for a download with this name: in ASCII for old clients, and encoded as in
/// RFC 8187.
fn content_disposition(name: &str) -> HeaderValue {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-()".contains(c);
    let ascii: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(byte).into(),
        _ => format!("%{byte:02X}"),
    };
    let encoded: String = name.bytes().map(encode).collect();
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).expect("it is all ASCII")
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Wav => "audio/wav",
        Format::Mp3 => "audio/mpeg",
        Format::Flac => "audio/flac",
        Format::Aiff => "audio/aiff",
        Format::Ogg | Format::Opus => "audio/ogg",
        Format::M4a | Format::M4b => "audio/mp4",
        _ => "application/octet-stream",
    }
}

/// A response that is not audio.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            code,
            message,
        }
    }

    fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    fn too_large() -> Self {
        let message = "the upload is larger than this service takes".into();
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }

    fn busy() -> Self {
        let message = "too many requests at once; try again in a moment".into();
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }

    fn invalid(problem: &impl ToString) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid-parameter", problem.to_string())
    }

    /// Creates a response for an internal error. The reason is written to the log only.
    fn internal(error: &dyn StdError) -> Self {
        eprintln!("error: {error}");
        let message = "something went wrong here".into();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    fn of(error: &Error) -> Self {
        let (status, code) = match error {
            Error::Unsupported { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-audio"),
            Error::Damaged { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "damaged"),
            Error::InvalidParameter(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-parameter"),
            Error::Processing { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "cannot-be-processed"),
            other => return Self::internal(other),
        };
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::new(status, code, message)
    }
}

impl From<MultipartError> for Failure {
    fn from(error: MultipartError) -> Self {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            _ => Self::bad_request(error.body_text()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"error": {"code": self.code, "message": self.message}});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
