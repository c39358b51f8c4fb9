//! `kiln weights fetch` from a server in this process.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// The address that the weights' file has at the server; its name and checksum are the table's.
const NAME: &str = "resnet18.imagenet1k_v1";
const FILE: &str = "resnet18-f37072fd.pth";

/// Answers requests with the given texts, one for each, and keeps what was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/files", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let mut answers: VecDeque<Vec<u8>> = answers.into_iter().collect();
        std::thread::spawn(move || {
            while let Some(answer) = answers.pop_front() {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let mut lines = Vec::new();
                for line in BufReader::new(&stream).lines() {
                    let line = line.unwrap();
                    if line.is_empty() {
                        break;
                    }
                    lines.push(line.to_lowercase());
                }
                seen.lock().unwrap().push(lines.join("\n"));
                stream.write_all(&answer).unwrap();
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn whole(body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("ETag: \"one\"\r\nContent-Length: {}\r\n", body.len()), body)
}

/// Announces all and sends a part.
fn cut(body: &[u8], at: usize) -> Vec<u8> {
    let headers = format!("ETag: \"one\"\r\nContent-Length: {}\r\n", body.len());
    answer("200 OK", &headers, &body[..at])
}

fn rest(body: &[u8], from: usize) -> Vec<u8> {
    let headers = format!(
        "Content-Range: bytes {from}-{}/{}\r\nContent-Length: {}\r\n",
        body.len() - 1,
        body.len(),
        body.len() - from
    );
    answer("206 Partial Content", &headers, &body[from..])
}

fn fetch(server: &Server, cache: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(["weights", "fetch", NAME, "--mirror", &server.address, "--cache"])
        .arg(cache)
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("all_proxy")
        .env_remove("ALL_PROXY")
        .output()
        .unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// No content has the published checksum here, so a whole download ends with the checksum's error, which says what
/// arrived; everything before it is what these tests are about.
fn sha256_of(output: &Output) -> String {
    let text = error(output);
    let found = text.split("SHA-256 ").nth(1).unwrap_or_else(|| panic!("{text}"));
    found.split(',').next().unwrap().to_owned()
}

/// 4000 bytes that are not all alike, and their SHA-256.
fn content() -> (Vec<u8>, &'static str) {
    let body = (0..4000_u32).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect();
    (body, "2067decac2913de8e45795a704b011184ee700074ee9d158b8a0e71ff735611a")
}

#[test]
fn a_wrong_checksum_is_named_and_nothing_stays() {
    let (body, sha) = content();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([whole(&body)]);
    let output = fetch(&server, folder.path());
    assert_eq!(output.status.code(), Some(5), "{}", error(&output));
    assert_eq!(sha256_of(&output), sha);
    assert!(error(&output).contains("expected f37072fd..."), "{}", error(&output));
    assert!(error(&output).contains(&format!("{}/{FILE}", server.address)));
    assert!(!folder.path().join(FILE).exists());
    assert!(!folder.path().join(format!(".{FILE}.partial")).exists());
}

#[test]
fn a_broken_connection_goes_on_where_it_ended() {
    let (body, sha) = content();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([cut(&body, 1500), rest(&body, 1500)]);
    let output = fetch(&server, folder.path());
    assert_eq!(sha256_of(&output), sha);
    let asked = server.asked();
    assert!(!asked[0].contains("range:"));
    assert!(asked[1].contains("range: bytes=1500-"), "{}", asked[1]);
    assert!(asked[1].contains("if-range: \"one\""), "{}", asked[1]);
}

#[test]
fn another_process_goes_on_too() {
    let (body, sha) = content();
    let folder = tempfile::tempdir().unwrap();
    // Broken off four times, which is all that one process tries.
    let ends = [500, 900, 1300, 1700];
    let parts = ends.windows(2).map(|ends| {
        let mut part = rest(&body, ends[0]);
        part.truncate(part.len() - (body.len() - ends[1]));
        part
    });
    let server = Server::start([cut(&body, ends[0])].into_iter().chain(parts));
    let output = fetch(&server, folder.path());
    assert_eq!(output.status.code(), Some(1));
    let text = error(&output);
    assert!(text.contains("broken off after 1700 bytes"), "{text}");
    assert!(text.contains("the same command goes on from there"), "{text}");

    let server = Server::start([rest(&body, 1700)]);
    assert_eq!(sha256_of(&fetch(&server, folder.path())), sha);
    assert!(server.asked()[0].contains("range: bytes=1700-"));
}

#[test]
fn a_server_that_starts_anew_is_followed() {
    let (body, sha) = content();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([cut(&body, 1500), whole(&body)]);
    assert_eq!(sha256_of(&fetch(&server, folder.path())), sha);
}

#[test]
fn answers_that_are_no_file_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([answer("404 Not Found", "Content-Length: 0\r\n", b"")]);
    let output = fetch(&server, folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("the server answers 404"), "{}", error(&output));

    let (body, _) = content();
    let nothing = answer("416 Range Not Satisfiable", "Content-Length: 0\r\n", b"");
    let server = Server::start([cut(&body, 1500), nothing]);
    let output = fetch(&server, folder.path());
    assert!(error(&output).contains("no more than was received"), "{}", error(&output));
    assert!(!folder.path().join(format!(".{FILE}.partial")).exists());
}

#[test]
fn a_redirection_is_followed() {
    let (body, sha) = content();
    let folder = tempfile::tempdir().unwrap();
    let target = Server::start([whole(&body)]);
    let location = format!("Location: {}/there\r\nContent-Length: 0\r\n", target.address);
    let server = Server::start([answer("302 Found", &location, b"")]);
    assert_eq!(sha256_of(&fetch(&server, folder.path())), sha);
    assert!(target.asked()[0].starts_with("get /files/there"));
}

#[test]
fn a_name_that_is_not_known_gets_the_nearest() {
    let output = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(["weights", "fetch", "resnet18.imagenet1k_v3"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = error(&output);
    assert!(text.contains("did you mean `resnet18.imagenet1k_v1`?"), "{text}");
}
