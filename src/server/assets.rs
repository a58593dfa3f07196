//! The browser's build and the files of `public/`, inside the binary (read from disk in debug builds).

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

/// The site folder of the profile; build.rs names it.
#[derive(RustEmbed)]
#[folder = "$TERTULIA_SITE"]
#[allow_missing = true]
struct Site;

/// Files of the build have their release in the path, so they never change under one address.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Files of `public/` keep their address across releases: an hour of trust.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const ALWAYS_ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// A name for exactly this build, made of its contents: `pkg/{release}/…` may be kept for ever.
static RELEASE: LazyLock<String> = LazyLock::new(|| {
    if cfg!(debug_assertions) {
        return "dev".to_owned();
    }
    let mut digest = Sha256::new();
    for path in Site::iter().filter(|path| path.starts_with("pkg/")) {
        if let Some(file) = Site::get(&path) {
            digest.update(path.as_bytes());
            digest.update(file.metadata.sha256_hash());
        }
    }
    digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// The folder that pages link to.
#[must_use]
pub fn pkg_dir() -> String {
    format!("pkg/{}", *RELEASE)
}

/// `GET /pkg/{release}/{file}`: the build. Another release is not found: half of one build and half of another
/// would not run, while the page without its script still works.
pub(crate) async fn built(Path((release, file)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if release != *RELEASE {
        return StatusCode::NOT_FOUND.into_response();
    }
    let cache = if cfg!(debug_assertions) { ALWAYS_ASK } else { IMMUTABLE };
    serve(&format!("pkg/{file}"), &headers, cache).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// A file of `public/`, if there is one at this path.
pub(crate) fn public(path: &str, headers: &HeaderMap) -> Option<Response> {
    let path = path.trim_start_matches('/');
    // The build is reached through its release alone.
    if path.is_empty() || path.starts_with("pkg/") {
        return None;
    }
    serve(path, headers, AN_HOUR)
}

fn serve(path: &str, headers: &HeaderMap, cache: HeaderValue) -> Option<Response> {
    let kind = content_type(path)?;
    let (file, encoding) = smallest(path, headers)?;
    let body: Cow<'static, [u8]> = file.data;
    let mut response = axum::body::Bytes::from(body.into_owned()).into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(CACHE_CONTROL, cache);
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The precompressed variant the client takes, or the file as it is.
fn smallest(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |name: &str| {
        let wanted = |part: &str| {
            let mut words = part.split(';').map(str::trim);
            words.next() == Some(name) && words.all(|word| word != "q=0" && word != "q=0.0")
        };
        accepted.split(',').map(str::trim).any(wanted)
    };
    let variants = [("br", ".br"), ("gzip", ".gz")];
    let compressed = variants
        .into_iter()
        .filter(|(name, _)| takes(name))
        .find_map(|(name, suffix)| Site::get(&format!("{path}{suffix}")).map(|file| (file, Some(name))));
    compressed.or_else(|| Site::get(path).map(|file| (file, None)))
}

/// The kinds of files we ship. Anything else is not served: a stray file in the folder stays private.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
