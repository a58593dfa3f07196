//! Authors of the plain doors: one person per name.

use futures::future::join_all;
use tertulia_protocol::Change;

use super::{Database, NOW, bodies, guest, room, say, whole_log};

/// By whichever instance and however many ask; a guest who has the name is somebody else.
pub async fn an_author_is_one_person_per_name(database: &impl Database) {
    let (store, other) = (database.open().await, database.open().await);
    let visitor = guest(&*store, "Redis").await;
    let asked = (0..20).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move { store.author("Redis", NOW).await.unwrap() })
    });
    let found: Vec<_> = join_all(asked).await.into_iter().map(|person| person.unwrap()).collect();
    assert!(found.iter().all(|person| *person == found[0]), "{found:?}");
    assert_eq!(found[0].name, "Redis");
    assert_ne!(found[0].id, visitor.id);
    for name in ["redis", "Rédis", "Redis ", "' OR 1=1 --"] {
        let person = store.author(name, NOW).await.unwrap();
        assert_eq!(person.name, name);
        assert_ne!(person.id, found[0].id, "another name is another person: {name:?}");
    }
    assert_eq!(database.open().await.author("Redis", NOW + 1).await.unwrap(), found[0]);

    let made = room(&*store, "doors", &visitor).await;
    say(&*store, made.id, &found[0], "Hola des de Redis CLI!").await;
    let log = whole_log(&*other, made.id).await;
    assert_eq!(bodies(&log), ["Hola des de Redis CLI!"]);
    assert!(matches!(log[1].change, Change::Posted { .. }) && log[1].by == found[0]);
}
