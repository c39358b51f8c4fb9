//! One file from one address, whole or not at all, going on where an earlier try broke off.

use super::error::FetchError;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE};

/// Tries that go on where the one before broke off.
const TRIES: u32 = 4;
/// For the connection, and for the answer's head.
const PATIENCE: Duration = Duration::from_secs(30);
/// For the whole of an answer; the next try goes on behind what has arrived.
const PATIENCE_WITH_BODY: Duration = Duration::from_mins(20);

/// A file to be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Download<'a> {
    pub(crate) url: &'a str,
    /// Its name in the folder.
    pub(crate) file: &'a str,
    /// The first digits of its SHA-256, in hexadecimal.
    pub(crate) sha256: &'a str,
    /// Where it stays.
    pub(crate) folder: &'a Path,
}

/// Bytes that are there, and how many there will be.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// The files of a download that is not finished.
struct Unfinished {
    partial: PathBuf,
    /// What the server calls the version that the partial file is of: its entity tag, or its date.
    version: PathBuf,
}

impl Download<'_> {
    /// The file, from the folder if it is there and whole, else from its address. Two processes do not disturb each
    /// other: the second waits, and finds the file.
    ///
    /// # Errors
    /// Any [`FetchError`]. After [`FetchError::BrokenOff`] the next call goes on with what is there.
    pub(crate) fn run(&self, progress: Progress<'_>) -> Result<PathBuf, FetchError> {
        let path = self.folder.join(self.file);
        let fault = |error| FetchError::file(self.folder, error);
        fs::create_dir_all(self.folder).map_err(fault)?;
        let lock = File::create(self.hidden("lock")).map_err(fault)?;
        lock.lock().map_err(fault)?;
        if path.is_file() && self.is_right(&path)?.is_ok() {
            return Ok(path);
        }
        let unfinished =
            Unfinished { partial: self.hidden("partial"), version: self.hidden("version") };
        // An earlier process may have ended between the last byte and the name.
        let is_whole = unfinished.partial.is_file() && self.is_right(&unfinished.partial)?.is_ok();
        let mut tries = 1;
        while !is_whole && let Err(error) = self.receive(&unfinished, progress) {
            let goes_on = matches!(&error, FetchError::BrokenOff { kept: true, .. });
            if !goes_on || tries == TRIES {
                return Err(error);
            }
            tries += 1;
        }
        if let Err(found) = self.is_right(&unfinished.partial)? {
            unfinished.remove();
            let (url, expected) = (self.url.to_owned(), self.sha256.to_owned());
            return Err(FetchError::Checksum { url, expected, found });
        }
        fs::rename(&unfinished.partial, &path).map_err(|error| FetchError::file(&path, error))?;
        unfinished.remove();
        Ok(path)
    }

    fn hidden(&self, kind: &str) -> PathBuf {
        self.folder.join(format!(".{}.{kind}", self.file))
    }

    /// Whether a file has the checksum; else the one that it has.
    fn is_right(&self, path: &Path) -> Result<Result<(), String>, FetchError> {
        let fault = |error| FetchError::file(path, error);
        let mut file = File::open(path).map_err(fault)?;
        let mut sums = Sha256::new();
        let mut block = vec![0; 1 << 20];
        loop {
            let count = file.read(&mut block).map_err(fault)?;
            if count == 0 {
                break;
            }
            sums.update(&block[..count]);
        }
        let found = hexadecimal(&sums.finalize());
        Ok(if found.starts_with(self.sha256) { Ok(()) } else { Err(found) })
    }

    /// One request; appends to what is there if the server goes on with the same version.
    fn receive(&self, unfinished: &Unfinished, progress: Progress<'_>) -> Result<(), FetchError> {
        let (mut have, version) = unfinished.state();
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(PATIENCE_WITH_BODY))
            .build()
            .into();
        let mut request = agent.get(self.url);
        if let Some(version) = version.filter(|_| have > 0) {
            request = request.header(RANGE, format!("bytes={have}-")).header(IF_RANGE, version);
        }
        let problem = |problem: String| FetchError::Request { url: self.url.to_owned(), problem };
        let answer = request.call().map_err(|error| problem(error.to_string()))?;
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        match answer.status() {
            StatusCode::OK => have = 0,
            StatusCode::PARTIAL_CONTENT => {
                let begins = format!("bytes {have}-");
                if !text(CONTENT_RANGE).is_some_and(|range| range.starts_with(&begins)) {
                    unfinished.remove();
                    return Err(problem("the server goes on at another place".to_owned()));
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                // There is nothing behind what is here, so what is here is of no use.
                unfinished.remove();
                return Err(problem("the server has no more than was received before".to_owned()));
            }
            status => {
                let (url, status) = (self.url.to_owned(), status.as_u16());
                return Err(FetchError::Status { url, status });
            }
        }
        let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let total = length.map(|length| have + length);
        let version = text(ETAG).filter(|tag| !tag.starts_with("W/")).or(text(LAST_MODIFIED));
        unfinished.begin(have, version)?;
        self.append(answer.into_body().into_reader(), unfinished, have, total, progress)
    }

    fn append(
        &self,
        mut body: impl Read,
        unfinished: &Unfinished,
        mut received: u64,
        total: Option<u64>,
        progress: Progress<'_>,
    ) -> Result<(), FetchError> {
        let fault = |error| FetchError::file(&unfinished.partial, error);
        let mut file = OpenOptions::new().append(true).open(&unfinished.partial).map_err(fault)?;
        let broken_off = |received, problem: String| {
            let url = self.url.to_owned();
            let kept = received > 0 && unfinished.version.exists();
            FetchError::BrokenOff { url, received, problem, kept }
        };
        let mut block = vec![0; 1 << 18];
        progress(received, total);
        loop {
            match body.read(&mut block) {
                Ok(0) => break,
                Ok(count) => {
                    file.write_all(&block[..count]).map_err(fault)?;
                    received += count as u64;
                    progress(received, total);
                }
                Err(error) => return Err(broken_off(received, error.to_string())),
            }
        }
        if let Some(total) = total.filter(|total| received < *total) {
            return Err(broken_off(received, format!("{total} were announced")));
        }
        file.sync_all().map_err(fault)
    }
}

impl Unfinished {
    /// Bytes that are there, and of which version; none where the version is not known.
    fn state(&self) -> (u64, Option<String>) {
        let version = fs::read_to_string(&self.version).ok();
        let have = fs::metadata(&self.partial).map_or(0, |metadata| metadata.len());
        (if version.is_some() { have } else { 0 }, version)
    }

    /// Cuts the partial file to `have` bytes of `version`.
    fn begin(&self, have: u64, version: Option<&str>) -> Result<(), FetchError> {
        let fault = |error| FetchError::file(&self.partial, error);
        if have == 0 {
            File::create(&self.partial).map_err(fault)?;
            let written = match version {
                Some(version) => fs::write(&self.version, version),
                None if self.version.exists() => fs::remove_file(&self.version),
                None => Ok(()),
            };
            written.map_err(fault)?;
        }
        Ok(())
    }

    fn remove(&self) {
        // What cannot be removed is overwritten by the next download.
        let _ = fs::remove_file(&self.partial);
        let _ = fs::remove_file(&self.version);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Download, FetchError};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// SHA-256 of `whole file`.
    const SUM: &str = "cd9f9d807dd53f75";

    #[test]
    fn a_file_that_is_there_is_not_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file-{SUM}.pth", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).unwrap();
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n";
            stream.write_all(format!("{head}whole file").as_bytes()).unwrap();
        });
        let download = Download { url: &url, file: "file.pth", sha256: SUM, folder: folder.path() };
        let mut seen = Vec::new();
        let path = download.run(&mut |received, total| seen.push((received, total))).unwrap();
        server.join().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole file");
        assert_eq!(seen.last(), Some(&(10, Some(10))));
        // Nobody listens any more.
        assert_eq!(download.run(&mut |_, _| ()).unwrap(), path);

        // A file that was changed is not taken for it.
        std::fs::write(&path, "whole life").unwrap();
        assert!(matches!(download.run(&mut |_, _| ()), Err(FetchError::Request { .. })));
    }
}
