//! Everybody who is there: tabs, listeners, the door; let in before anything goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tertulia_chat::store::{Draft, TokenHash};
use tertulia_protocol::{Change, Key, Person, RoomId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::browser::{Account, Browser, Shared, Tab, drive};
use crate::dice::Dice;
use crate::door;
use crate::ear::Ear;
use crate::house::House;
use crate::plan::Plan;
use crate::store::BEGINNING;

/// Sessions outlive the run, in milliseconds.
const SESSION_MS: i64 = 3_600_000;
/// Plain listeners.
const EARS: usize = 2;

/// Everybody, and the way to send them home.
pub(crate) struct Crowd {
    /// The tabs, by their numbers.
    pub(crate) tabs: Vec<Shared>,
    /// The listeners.
    pub(crate) ears: Vec<Arc<Ear>>,
    door_done: Arc<AtomicBool>,
    tasks: TaskTracker,
    closed: CancellationToken,
}

impl Crowd {
    /// Makes the rooms and the accounts, and lets everybody begin.
    pub(crate) fn gather(plan: &Plan, house: &Arc<House>) -> Self {
        let host = furnish(plan, house);
        let (tasks, closed) = (TaskTracker::new(), CancellationToken::new());
        let mut accounts: BTreeMap<usize, Account> = BTreeMap::new();
        let mut tabs = Vec::new();
        for (index, script) in plan.people.iter().enumerate() {
            let account = accounts.entry(script.account).or_insert_with(|| account(house, script.account));
            let fresh = Browser::open(Tab(index), account.clone(), house.clone(), plan);
            tabs.push(fresh.shared());
            tasks.spawn(drive(fresh, script.deeds.clone(), closed.clone()));
        }
        let ears: Vec<_> = (0..EARS)
            .map(|index| {
                let name = format!("ear {index}");
                let room = RoomId(i64::try_from(index % plan.rooms).unwrap_or(0) + 1);
                let ear = Ear::new(&name, host.clone(), room, house.clone());
                tasks.spawn(ear.clone().listen(Dice::of(plan.seed, &name), closed.clone()));
                ear
            })
            .collect();
        let door_done = Arc::new(AtomicBool::new(false));
        let publishing =
            door::publish(house.clone(), plan.posts.clone(), Dice::of(plan.seed, "door"), door_done.clone());
        let ended = closed.clone();
        tasks.spawn(async move {
            tokio::select! {
                // Safe to cancel: the run is over.
                () = publishing => {}
                () = ended.cancelled() => {}
            }
        });
        Self { tabs, ears, door_done, tasks, closed }
    }

    /// Whether the door has all its answers.
    pub(crate) fn door_is_done(&self) -> bool {
        self.door_done.load(Ordering::SeqCst)
    }

    /// Everybody goes home.
    pub(crate) async fn leave(&self) {
        self.closed.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Rooms, and what has been said there before.
fn furnish(plan: &Plan, house: &House) -> Person {
    let mut database = house.witness.server.database();
    let host = database.author("host");
    for room in 1..plan.rooms {
        database.create_room(&format!("room-{room}"), &format!("Room {room}"), &host, BEGINNING);
    }
    let (messages, bytes) = plan.past.messages();
    for number in 1..=messages {
        let key = Key(Uuid::from_u128(u128::from(number.unsigned_abs())));
        let change = Change::Posted { body: "p".repeat(bytes), reply_to: None };
        let draft = Draft { room: RoomId(1), by: host.clone(), key, change, at: BEGINNING };
        // The room was made a moment ago.
        drop(database.append(&draft, true));
    }
    host
}

fn account(house: &House, index: usize) -> Account {
    let mut token = [0_u8; 32];
    token[..8].copy_from_slice(&(index as u64 + 1).to_be_bytes());
    let token = TokenHash(token);
    let name = format!("Person {index}");
    let made = house.witness.server.database().create_guest(&name, token, BEGINNING + SESSION_MS);
    // Every account has a token of its own, so it is made.
    let person = made.unwrap_or(Person { id: tertulia_protocol::UserId(0), name });
    Account { person, token, out: Arc::new(AtomicBool::new(false)) }
}
