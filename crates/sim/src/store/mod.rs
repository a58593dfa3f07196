//! A [`Store`] in memory that is slow, fails, loses answers, and goes on writing after whoever asked has died.
//!
//! The database is a world of its own: a write that has left an instance may be done although the instance is gone.

mod database;
mod sabotage;
mod weather;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tertulia_chat::store::{Appended, Draft, Mark, Moved, Store, StoreError, Telling, TokenHash};
use tertulia_protocol::{Entry, Epoch, Person, RoomId, RoomInfo, Seq, Snapshot, UserId};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::database::{BEGINNING, Database};
pub(crate) use self::weather::{Failing, StoreWeather};
use crate::dice::Dice;
use crate::plan::Sabotage;
use crate::record::Record;

/// How often sabotage strikes that does not always, in a thousand.
const STRIKES: u32 = 60;

/// The database server: what all instances share. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Server(Arc<Shared>);

struct Shared {
    database: Mutex<Database>,
    /// Writes under way.
    tasks: TaskTracker,
    record: Record,
    sabotage: Option<Sabotage>,
    dice: Mutex<Dice>,
    /// What each instance wrote lately: for [`Sabotage::ForgetTail`].
    lately: Mutex<Vec<(Instant, String, RoomId, Seq)>>,
}

/// One instance's store.
pub struct SimStore {
    server: Server,
    instance: String,
    weather: StoreWeather,
    /// The instance is gone: nothing is asked and nothing answered any more.
    gone: CancellationToken,
    /// Its tasks may end.
    released: CancellationToken,
}

impl Server {
    /// A new database.
    pub(crate) fn new(epoch: Epoch, record: Record, sabotage: Option<Sabotage>, dice: Dice) -> Self {
        Self(Arc::new(Shared {
            database: Mutex::new(Database::new(epoch)),
            tasks: TaskTracker::new(),
            record,
            sabotage,
            dice: Mutex::new(dice),
            lately: Mutex::default(),
        }))
    }

    /// What is durable at this moment.
    pub(crate) fn database(&self) -> MutexGuard<'_, Database> {
        lock(&self.0.database)
    }

    /// A store on it for an instance.
    pub(crate) fn open(&self, instance: &str, weather: StoreWeather) -> SimStore {
        let (gone, released) = (CancellationToken::new(), CancellationToken::new());
        SimStore { server: self.clone(), instance: instance.to_owned(), weather, gone, released }
    }

    /// Waits for the writes under way.
    pub(crate) async fn finish(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn append(&self, instance: &str, draft: &Draft) -> Result<Appended, StoreError> {
        let shared = &self.0;
        let appended = match shared.sabotage {
            None => self.database().append(draft, true)?,
            Some(sabotage) => self.append_badly(sabotage, draft)?,
        };
        let (room, seq) = (appended.room, appended.entry.seq);
        let again = if appended.duplicate { " again" } else { "" };
        shared.record.note(format_args!("{instance} stores {} as {room}/{seq}{again}", draft.key));
        if appended.duplicate {
            shared.record.count("sends that were stored already");
        } else if shared.sabotage == Some(Sabotage::ForgetTail) {
            lock(&shared.lately).push((Instant::now(), instance.to_owned(), room, seq));
        }
        Ok(appended)
    }

    /// Whether sabotage strikes now that does not always.
    fn strikes(&self) -> bool {
        lock(&self.0.dice).chance(STRIKES)
    }
}

impl SimStore {
    /// A store on a new database where nothing takes time and nothing fails.
    #[must_use]
    pub fn still(epoch: Epoch) -> Self {
        let server = Server::new(epoch, Record::begin(false), None, Dice::of(0, "store"));
        server.open("still", StoreWeather::still())
    }

    /// Another store on the same database, as another instance has it.
    #[must_use]
    pub fn another(&self) -> Self {
        self.server.open("another", self.weather.clone())
    }

    /// The instance is gone: from here on it asks in vain.
    pub(crate) fn vanish(&self) {
        self.gone.cancel();
        if self.server.0.sabotage == Some(Sabotage::ForgetTail) {
            self.server.lose_tail(&self.instance);
        }
    }

    /// Lets go of what still waits for an answer; after [`SimStore::vanish`], when nobody can hear it any more.
    pub(crate) fn release(&self) {
        self.released.cancel();
    }

    async fn read<T>(&self, what: &str, look: impl FnOnce(&Database) -> T + Send) -> Result<T, StoreError> {
        if self.weather.is_still() {
            return Ok(look(&self.server.database()));
        }
        let course = self.weather.course(false);
        let reading = async {
            self.weather.go(&course).await;
            if let Some(error) = course.refused.clone() {
                return Err(error);
            }
            let found = look(&self.server.database());
            self.server.0.record.murmur(format_args!("{} reads {what}", self.instance));
            StoreWeather::come_back(&course).await;
            Ok(found)
        };
        self.while_alive(reading).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Server, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.weather.is_still() {
            return work(&self.server, &self.instance);
        }
        let (reply, answer) = oneshot::channel();
        let (server, instance, weather) = (self.server.clone(), self.instance.clone(), self.weather.clone());
        let gone = self.gone.clone();
        self.server.0.tasks.spawn(async move {
            let course = weather.course(true);
            weather.go(&course).await;
            let record = &server.0.record;
            let outcome = match course.refused.clone() {
                Some(error) => Err(error),
                None if gone.is_cancelled() && !course.outlives => {
                    record.count("writes that a crash took");
                    return;
                }
                None => work(&server, &instance),
            };
            if gone.is_cancelled() && outcome.is_ok() {
                record.count("writes done for an instance that was gone");
            }
            StoreWeather::come_back(&course).await;
            let outcome = match outcome {
                Ok(_) if course.mute => {
                    record.count("writes whose answer was lost");
                    Err(StoreError::Uncertain("the answer was lost".to_owned()))
                }
                outcome => outcome,
            };
            // Whoever asked may be gone.
            let _ = reply.send(outcome);
        });
        self.while_alive(async { answer.await.unwrap_or_else(|_| Err(nobody())) }).await
    }

    /// The head that this store says instead, under [`Sabotage::LagHeads`].
    fn behind(&self, head: Seq) -> Seq {
        let lag = i64::from(self.server.0.sabotage == Some(Sabotage::LagHeads));
        Seq((head.0 - lag).max(1))
    }

    async fn while_alive<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            // Safe to cancel: a call that is dropped has an unknown outcome, as the contract says, and a token stays
            // cancelled.
            () = self.gone.cancelled() => {
                self.released.cancelled().await;
                Err(nobody())
            }
            answer = call => answer,
        }
    }
}

fn nobody() -> StoreError {
    StoreError::Unavailable("nobody asks any more".to_owned())
}

/// Nothing under these locks can be left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for SimStore {
    fn epoch(&self) -> Epoch {
        self.server.database().epoch()
    }

    async fn append(&self, draft: Draft) -> Result<Appended, StoreError> {
        self.write(move |server, instance| server.append(instance, &draft)).await
    }

    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, StoreError>>, StoreError> {
        self.write(move |server, instance| Ok(drafts.iter().map(|draft| server.append(instance, draft)).collect()))
            .await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read("entries after", |database| database.entries_after(room, after, limit)).await
    }

    async fn entries_before(&self, room: RoomId, before: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read("entries before", |database| database.entries_before(room, before, limit)).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let head = |database: &Database, room| database.head(room).map(|seq| self.behind(seq));
        let of = |database: &Database| rooms.iter().filter_map(|room| Some((*room, head(database, *room)?))).collect();
        self.read("heads", of).await
    }

    async fn snapshot(&self, room: RoomId, limit: usize) -> Result<Snapshot, StoreError> {
        self.read("snapshot", |database| database.snapshot(room, limit)).await?
    }

    async fn create_room(&self, slug: &str, name: &str, by: &Person, at: i64) -> Result<(RoomInfo, bool), StoreError> {
        let (slug, name, by) = (slug.to_owned(), name.to_owned(), by.clone());
        self.write(move |server, _| Ok(server.database().create_room(&slug, &name, &by, at))).await
    }

    async fn room_by_slug(&self, slug: &str) -> Result<Option<RoomInfo>, StoreError> {
        self.read("room by slug", |database| database.room_by_slug(slug)).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.read("room info", |database| database.room_info(id)).await
    }

    async fn rooms(&self, limit: usize) -> Result<Vec<RoomInfo>, StoreError> {
        self.read("newest rooms", |database| database.newest_rooms(limit)).await
    }

    async fn newest_move(&self) -> Result<Mark, StoreError> {
        self.read("newest move", Database::newest_move).await
    }

    async fn moved_after(&self, mark: Mark, limit: usize) -> Result<Vec<Moved>, StoreError> {
        let of = |database: &Database| {
            let mut moved = database.moved_after(mark, limit);
            moved.iter_mut().for_each(|moved| moved.head = self.behind(moved.head));
            moved
        };
        self.read("moves", of).await
    }

    async fn begin_telling(&self, room: RoomId, channel: &str, at: Seq) -> Result<Telling, StoreError> {
        let channel = channel.to_owned();
        self.write(move |server, _| server.database().begin_telling(room, &channel, at)).await
    }

    async fn note_told(&self, room: RoomId, channel: &str, to: Seq) -> Result<(), StoreError> {
        let channel = channel.to_owned();
        self.write(move |server, _| server.database().note_told(room, &channel, to)).await
    }

    async fn create_guest(
        &self,
        name: &str,
        token: TokenHash,
        _at: i64,
        expires_at: i64,
    ) -> Result<Person, StoreError> {
        let name = name.to_owned();
        self.write(move |server, _| server.database().create_guest(&name, token, expires_at)).await
    }

    async fn author(&self, name: &str, _at: i64) -> Result<Person, StoreError> {
        let name = name.to_owned();
        self.write(move |server, _| Ok(server.database().author(&name))).await
    }

    async fn session(&self, token: TokenHash, at: i64) -> Result<Option<Person>, StoreError> {
        self.read("session", |database| database.session(token, at)).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<Option<UserId>, StoreError> {
        if self.server.0.sabotage == Some(Sabotage::KeepSessions) {
            return Ok(None);
        }
        self.write(move |server, _| Ok(server.database().end_session(token))).await
    }

    async fn purge_sessions(&self, now: i64, limit: usize) -> Result<usize, StoreError> {
        self.write(move |server, _| Ok(server.database().purge_sessions(now, limit))).await
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        self.write(|_, _| Ok(())).await
    }
}
