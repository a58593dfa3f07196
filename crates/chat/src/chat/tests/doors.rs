//! Authors without a session, and posts without a person's budget.

use tertulia_protocol::{Code, Key};

use super::support::{Cluster, LOBBY, bodies};

#[tokio::test]
async fn an_author_is_the_same_person_on_every_instance_and_never_a_guest() {
    let cluster = Cluster::of(2);
    let [one, two] = &cluster.instances[..] else { panic!("premise: two instances") };
    let guest = one.chat.enter("Redis").await.expect("the name is fine").0;
    let author = one.chat.author(" Redis ").await.expect("the name is fine");
    assert_eq!((author.name.as_str(), two.chat.author("Redis").await), ("Redis", Ok(author.clone())));
    assert_ne!(author.id, guest.id);
    for n in 0..1_100 {
        one.chat.author(&format!("Author {n}")).await.expect("the name is fine");
    }
    assert_eq!(one.chat.author("Redis").await, Ok(author), "also after the memory began anew");
    assert!(one.chat.lock_authors().len() <= super::super::doors::AUTHORS);
    for (name, code) in [("", Code::Empty), ("system", Code::NameReserved), ("a\u{202e}b", Code::BadName)] {
        assert_eq!(one.chat.author(name).await.map_err(|refusal| refusal.code), Err(code), "{name:?}");
    }
}

#[tokio::test]
async fn a_post_of_a_door_is_a_message_like_any_other_without_a_persons_budget() {
    let cluster = Cluster::limited();
    let chat = &cluster.instances[0].chat;
    let mut ana = cluster.instances[0].guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    let author = chat.author("Deploy").await.expect("the name is fine");
    let member = chat.member(&author, LOBBY).await.expect("the lobby is open");
    let key = Key::mint();
    let first = chat.post(&member, key, "done\r\n").await.expect("it is stored");
    let again = chat.post(&member, key, "done").await.expect("it is known");
    assert!(!first.duplicate && again.duplicate && first.entry == again.entry);
    assert_eq!(bodies(&ana.entries_until(LOBBY, first.entry.seq.0).await), ["done"]);
    for n in 0..300 {
        chat.post(&member, Key::mint(), &n.to_string()).await.expect("no budget is asked");
    }
    let refused = chat.post(&member, Key::mint(), " ").await;
    assert_eq!(refused.map_err(|refusal| refusal.code), Err(Code::Empty));
}
