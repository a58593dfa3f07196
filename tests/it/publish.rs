//! What the answer to a published message tells.

use tertulia_chat::bus::conformance::RealRedis;

use crate::support::eventually;
use crate::support::http::Request;
use crate::support::program::Program;
use crate::support::server::{Setup, TestServer};

/// Somebody who runs `curl -N` in a room, and has been let in.
async fn listen(server: &TestServer, room: &str) -> Program {
    let mut curl = Program::start("curl", &["-sN", &format!("http://{}/events/{room}", server.door.address)]);
    assert_eq!(curl.line().await, "retry: 1000");
    curl
}

/// Publishes, and reads how many instances were told.
async fn told(server: &TestServer, room: &str) -> i64 {
    let answer = server.publish(room, "hello").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["instances"].as_i64().expect("a number")
}

async fn until_told(server: &TestServer, room: &str, instances: i64) {
    let what = format!("{instances} are told of what is said in {room}");
    eventually(&what, async || (told(server, room).await == instances).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_publishes_is_told_how_many_instances_were_told() {
    let mut redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    assert_eq!(told(&b, "plaza").await, 1, "nobody is in the room: only the instance that stores it knows");
    let _ana = listen(&a, "plaza").await;
    until_told(&b, "plaza", 2).await;
    assert_eq!(told(&a, "plaza").await, 1, "who listens where it is said is told without Redis");
    let _bruno = [listen(&b, "plaza").await, listen(&b, "plaza").await];
    until_told(&a, "plaza", 2).await;
    assert_eq!(told(&b, "plaza").await, 2, "an instance counts once, however many listen there");
    assert_eq!(told(&b, "elsewhere").await, 1, "they are in another room");
    redis.freeze();
    assert_eq!(told(&b, "plaza").await, 1, "a Redis that stands still is not waited for");
    redis.thaw();
    until_told(&b, "plaza", 2).await;
    redis.kill();
    until_told(&b, "plaza", 1).await;
    redis.restart().await;
    until_told(&b, "plaza", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_used_in_parallel_on_both_instances_is_one_message_and_one_answer() {
    const TIMES: usize = 40;
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let before = told(&a, "plaza").await;
    assert_eq!(before, 1, "premise: nobody is in the room");
    let request = Request::new("POST", "/publish/plaza?message=paid").header("idempotency-key", "order 17");
    let doors = [&a.door, &b.door];
    let asked = (0..TIMES).map(|n| request.send(doors[n % 2]));
    let answers = futures::future::join_all(asked).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.json()), (201, answers[0].json()), "{answer:?}");
    }
    let first = answers.iter().filter(|answer| answer.header("idempotency-replayed") == Some("false")).count();
    assert_eq!(first, 1, "one of them stored it");
    let seq = answers[0].json()["seq"].as_i64().expect("a number");
    let next = b.publish("plaza", "and then").await.json()["seq"].as_i64();
    assert_eq!(next, Some(seq + 1), "it was stored once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_alone_tells_itself() {
    let server = Setup::new().without_limits().start().await;
    let _ana = listen(&server, "plaza").await;
    assert_eq!(told(&server, "plaza").await, 1);
}
