//! `kiln watch`.

use crate::arguments::WatchArguments;
use crate::commands::report::report_of;
use crate::output::say;
use kiln_trainer::RunDirectory;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use tiny_http::{Header, Method, Request, Response, Server};

/// Seconds between two looks.
const REFRESH: u32 = 10;

/// Serves the report of a run until somebody ends the program. It reads the run and changes nothing.
pub(crate) fn watch(arguments: &WatchArguments) -> anyhow::Result<ExitCode> {
    let (directory, _) = RunDirectory::open(&arguments.run)?;
    let server = Server::http((Ipv4Addr::LOCALHOST, arguments.port))
        .map_err(|error| anyhow::anyhow!("port {}: {error}", arguments.port))?;
    let port = server.server_addr().to_ip().map_or(arguments.port, |address| address.port());
    say(format!("http://127.0.0.1:{port}/ shows {}; Ctrl-C ends it", directory.path().display()));
    for request in server.incoming_requests() {
        let (status, kind, body) = answer(&directory, &request, port);
        let mut response = Response::from_string(body).with_status_code(status);
        let headers = [
            ("Content-Type", kind),
            ("Cache-Control", "no-store"),
            // Nothing of another place is loaded, whatever a class is called.
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:",
            ),
        ];
        for (name, value) in headers {
            if let Ok(header) = Header::from_bytes(name, value) {
                response.add_header(header);
            }
        }
        // A browser that has gone away is no error.
        let _ = request.respond(response);
    }
    Ok(ExitCode::SUCCESS)
}

/// Status, type and text.
fn answer(directory: &RunDirectory, request: &Request, port: u16) -> (u16, &'static str, String) {
    const TEXT: &str = "text/plain; charset=utf-8";
    // A page of another site that gets its name to mean this machine must not read the report.
    let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let host = request.headers().iter().find(|header| header.field.equiv("Host"));
    if !host.is_some_and(|host| own.iter().any(|own| own == host.value.as_str())) {
        return (403, TEXT, "only for this machine".to_owned());
    }
    if !matches!(request.method(), Method::Get | Method::Head) {
        return (405, TEXT, "only to be read".to_owned());
    }
    if request.url() != "/" {
        return (404, TEXT, "there is only /".to_owned());
    }
    match report_of(directory, None, None) {
        // Nothing changes any more.
        Ok(html) if matches!(directory.evaluation(), Ok(Some(_))) => {
            (200, "text/html; charset=utf-8", html)
        }
        Ok(html) => {
            let refresh = format!("<head><meta http-equiv=\"refresh\" content=\"{REFRESH}\">");
            (200, "text/html; charset=utf-8", html.replacen("<head>", &refresh, 1))
        }
        Err(error) => (500, TEXT, error.to_string()),
    }
}
