//! What the README tells people to type at the plain doors, typed: every line with `curl`, as a shell reads it.

use serde_json::{Value, json};
use tertulia_chat::Token;
use tertulia_chat::bus::conformance::RealRedis;

use crate::support::eventually;
use crate::support::http::Request;
use crate::support::program::{Program, output};
use crate::support::server::{Setup, TestServer, hashed};

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

/// Where the README's server is, and its public one.
const LOCAL: &str = "http://localhost:3000";
const PUBLIC: &str = "https://chat.example.org";

/// The lines of the README that run curl.
fn commands() -> impl Iterator<Item = &'static str> {
    let code = README.lines().filter_map(|line| line.strip_prefix("    "));
    code.map(str::trim).filter(|line| line.starts_with("curl ") || line.contains("| curl "))
}

/// The same for these servers, and without the progress that curl shows.
fn aimed(command: &str, local: &TestServer, public: &TestServer, token: &Token) -> String {
    let at = |server: &TestServer| format!("http://{}", server.door.address);
    let command = command.replace(LOCAL, &at(local)).replace(PUBLIC, &at(public));
    command.replace("THE-TOKEN", token.reveal()).replacen("curl ", "curl -sS ", 1)
}

/// What a command that ends prints.
async fn printed(command: &str) -> String {
    output("bash", &["-c", command]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_curl_command_of_the_readme_does_what_it_is_there_for() {
    let redis = RealRedis::start().await;
    let local = Setup::new().redis(&redis.url()).named("local").without_limits().start().await;
    let token = Token::mint().expect("randomness");
    let rows = format!("backup:{}:chat+ops:publish", hashed(&token));
    let public = Setup::new().public_url(PUBLIC).tokens(&rows).start().await;
    let made = public.guest("Ana").await.post("/rooms", &[("name", "ops")]).await;
    assert_eq!(made.location(), "/r/ops", "premise: the room of the example is there");
    local.until_bus("live").await;
    eventually("the market opens", async || local.chat().market().filter(|market| market.is_open())).await;

    let (mut published, mut streams, mut others) = (Vec::new(), 0, 0);
    for command in commands() {
        let typed = aimed(command, &local, &public, &token);
        if command.contains("/publish/") {
            let said: Value = serde_json::from_str(&printed(&typed).await).unwrap_or_else(|_| panic!("{command}"));
            assert!(said["seq"].is_i64() && said["id"].is_string() && said["instances"] == 1, "{command}: {said}");
            published.push(said["room"].clone());
        } else if command.contains("curl -N") {
            let mut stream = Program::start("bash", &["-c", &format!("exec {typed}")]);
            while !stream.line().await.starts_with("event: ") {}
            streams += 1;
        } else {
            let answer = printed(&typed).await;
            let expected = if command.contains("/readyz") { "\"bus\"" } else { "303 See Other" };
            assert!(answer.contains(expected), "{command}: {answer}");
            others += 1;
        }
    }
    assert_eq!(published.iter().filter(|room| **room == json!("chat")).count(), published.len() - 1);
    assert_eq!(published.last(), Some(&json!("ops")));
    assert!(published.len() >= 7 && streams >= 5 && others >= 3, "{} {streams} {others}", published.len());
    local.until_bus("live").await;
    let log = Request::get("/events/chat?history=9").header("sec-fetch-site", "cross-site").send(&local.door).await;
    assert_eq!(log.status, 403, "no door answers pages of other origins");
}
