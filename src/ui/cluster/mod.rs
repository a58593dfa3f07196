//! The cluster one can watch: a drawing that lives, the same as a table, and the switch of the lesson.

pub mod drawing;
pub mod table;
#[cfg(test)]
mod tests;
pub mod words;

use std::time::Duration;

use leptos::prelude::*;
use tertulia_protocol::cluster::{Instance, Picture};
use tertulia_protocol::codec;

use self::drawing::{Drawing, Leg, TRAVELS, way};
use self::table::Numbers;
use crate::api::FirstPicture;
use crate::ui::kit::stream::{Heard, Stream};
use crate::ui::kit::{Boxed, PageTitle, Wordmark, flag, text};

/// The feed that the picture comes from.
const FEED: &str = "/feeds/cluster";
/// What is said while the feed is away.
const LOST: &str = "Out of reach, trying again";
/// Before a feed that was refused is asked for again.
const AGAIN: Duration = Duration::from_secs(5);
/// Pictures for which a message stays on its way: one a second, and a way takes a second and a half.
const STAYS: u64 = 2;

/// What the page knows.
#[derive(Clone, Copy)]
struct Live {
    picture: RwSignal<Picture>,
    /// Each place with the number of the picture at which its message began.
    travels: StoredValue<Vec<(RwSignal<Vec<Leg>>, u64)>>,
    /// Pictures so far.
    seen: StoredValue<u64>,
    /// How the feed stands, in words; empty until the page lives.
    feed: RwSignal<&'static str>,
    stream: StoredValue<Option<Stream>, LocalStorage>,
}

/// The page behind `/cluster`.
#[component]
pub fn ClusterPage() -> impl IntoView {
    // The server draws what it has read before; the browser begins with the same, and goes on with the feed.
    let first = || use_context::<FirstPicture>().map(|FirstPicture(json)| json).unwrap_or_default();
    let first = SharedValue::new_str(first).into_inner();
    let live = Live {
        picture: RwSignal::new(codec::decode(&first).unwrap_or_default()),
        travels: StoredValue::new((0..TRAVELS).map(|_| (RwSignal::new(Vec::new()), 0)).collect()),
        seen: StoredValue::new(0),
        feed: RwSignal::new(""),
        stream: StoredValue::new_local(None),
    };
    // In the effect, which only a browser runs: on the server another thread may clean up, and this value is of one.
    Effect::new(move || {
        live.listen();
        on_cleanup(move || live.stream.try_update_value(|stream| *stream = None).unwrap_or(()));
    });
    let picture = live.picture;
    let travels = live.travels.with_value(|travels| travels.iter().map(|(travel, _)| *travel).collect());
    let words = text(move || live.feed.get().to_owned());
    let class = text(move || {
        let mark = match live.feed.get() {
            "" => "still",
            LOST => "offline",
            _ => "live",
        };
        format!("status {mark}")
    });
    let alone = flag(move || picture.with(|picture| picture.redis));
    view! {
        <PageTitle name="The cluster".to_owned() />
        <main class="cluster">
            <header class="cluster-header">
                <a class="home" href="/r/chat" aria-label="Tertulia, to the lobby">
                    <Wordmark />
                </a>
                <noscript>"Reload to see how it is now."</noscript>
                <p class=class role="status">{words}</p>
            </header>
            <h1>"The cluster"</h1>
            <p class="lead">
                "Browsers speak with an instance, instances speak through Redis, and what is said is kept in SQL. "
                <a href="/r/chat" target="_blank">"Write something"</a>
                " and watch it travel."
            </p>
            <p class="lead" hidden=alone>
                "This is one instance alone: its bus is inside the process, so there is no Redis to draw."
            </p>
            <Drawing picture travels />
            <Numbers picture />
            <SwitchForm picture />
        </main>
    }
    .boxed()
}

impl Live {
    fn listen(self) {
        let stream = Stream::open(FEED, &["state", "message"], move |heard| match heard {
            Heard::Event { name, data } if name == "state" => self.state(&data),
            Heard::Event { data, .. } => self.message(&data),
            Heard::Lost => self.feed.set(LOST),
            Heard::Refused => {
                self.feed.set(LOST);
                // Nothing happens if the page is gone by then: its values are.
                set_timeout(
                    move || {
                        if !self.stream.is_disposed() {
                            self.listen()
                        }
                    },
                    AGAIN,
                );
            }
        });
        self.stream.set_value(stream);
    }

    fn state(self, json: &str) {
        let Ok(picture) = codec::decode(json) else { return };
        self.feed.set("Live");
        self.picture.set(picture);
        let seen = self.seen.with_value(|seen| seen + 1);
        self.seen.set_value(seen);
        self.travels.with_value(|travels| {
            for (travel, since) in travels {
                if since + STAYS < seen && !travel.with_untracked(Vec::is_empty) {
                    travel.set(Vec::new());
                }
            }
        });
    }

    /// A message sets out, if there is a place left.
    fn message(self, json: &str) {
        let Ok(sent) = codec::decode(json) else { return };
        let way = self.picture.with_untracked(|picture| way(picture, &sent));
        let seen = self.seen.get_value();
        self.travels.update_value(|travels| {
            let free = travels.iter_mut().find(|(travel, _)| travel.with_untracked(Vec::is_empty));
            if let Some((travel, since)) = free {
                *since = seen;
                travel.set(way);
            }
        });
    }
}

/// Cuts the bus of this instance and heals it: a plain form, alive or not.
#[component]
fn SwitchForm(
    /// What is known.
    picture: RwSignal<Picture>,
) -> impl IntoView {
    let here = move || picture.with(|picture| picture.instances.iter().find(|instance| instance.here).cloned());
    let is_cut = move || here().is_some_and(|here| here.cut_s.is_some());
    let absent = flag(move || picture.with(|picture| !picture.switch));
    let (cut, whole) = (flag(is_cut), flag(move || !is_cut()));
    let heading = text(move || format!("The bus of {}", here().map(|here| here.name).unwrap_or_default()));
    let lesson = text(move || here().map(|here| lesson(&here).to_owned()).unwrap_or_default());
    let left = text(move || here().and_then(|here| here.cut_s).map(words::duration).unwrap_or_default());
    view! {
        <section class="switch" hidden=absent aria-labelledby="switch">
            <h2 id="switch">{heading}</h2>
            <p>{lesson}</p>
            <form method="post" action="/cluster/bus" hidden=cut>
                <label>
                    <input type="checkbox" name="sql" value="off" />
                    "Also without SQL: an island"
                </label>
                <button type="submit" class="primary" name="cut" value="on">"Cut the bus"</button>
            </form>
            <form method="post" action="/cluster/bus" hidden=whole>
                <p>"It heals by itself in "<span class="count">{left}</span>"."</p>
                <button type="submit" class="primary" name="cut" value="off">"Heal it now"</button>
            </form>
        </section>
    }
}

/// What the switch shows at this moment.
fn lesson(here: &Instance) -> &'static str {
    match (here.cut_s, here.island) {
        (None, _) => {
            "While it is cut, this instance neither tells nor hears the others. It goes on reading from SQL what it \
             misses, half a second late; without SQL too, nothing comes from the others until it is healed."
        }
        (Some(_), false) => {
            "Nothing passes through Redis now. Messages from the other instances still come, half a second late: \
             this instance compares with SQL twice a second."
        }
        (Some(_), true) => {
            "Without Redis, and without looking into SQL, this instance is an island: what is said elsewhere does \
             not come. Nothing is lost; healed, it reads what it missed, each message once."
        }
    }
}
