//! The drawing: browsers, instances, Redis, and messages on their way. The table beside it tells the same, so nothing
//! here is said to ears. Geometry in the units of one view box, which the page scales.

use leptos::prelude::*;
use tertulia_protocol::cluster::{Instance, Picture, Sent, Standing};

use super::words;
use crate::ui::kit::{Boxed, part};

/// The width of the view box: small enough that 13 units of text can be read on a phone of 320 px.
const WIDTH: usize = 340;
/// The height of an instance with the space around it.
const ROW: usize = 104;
/// Half the height of a card.
const HALF: usize = 44;
/// Where the browsers end.
const BROWSER: usize = 44;
/// Where the cards begin.
const LEFT: usize = 70;
/// Where the cards end.
const RIGHT: usize = 244;
/// The middle of Redis.
const REDIS: usize = 308;
/// The radius of Redis, a round table.
const TABLE: usize = 28;
/// Messages that are shown on their way at once; an eye follows no more.
pub const TRAVELS: usize = 12;

/// One stretch of a message's way: a path, and which stretch it is.
pub type Leg = (String, &'static str);

/// The middle of a row.
const fn middle(row: usize) -> usize {
    row * ROW + ROW / 2
}

/// The height of the view box.
fn height(picture: &Picture) -> usize {
    picture.instances.len().max(1) * ROW
}

/// The line from a card to Redis.
fn line(picture: &Picture, row: usize) -> String {
    let (y, table) = (middle(row), height(picture) / 2);
    format!("M{RIGHT} {y}C{EDGE} {y} {RIGHT} {table} {EDGE} {table}", EDGE = REDIS - TABLE)
}

/// The same line from Redis to a card.
fn line_back(picture: &Picture, row: usize) -> String {
    let (y, table) = (middle(row), height(picture) / 2);
    format!("M{EDGE} {table}C{RIGHT} {table} {EDGE} {y} {RIGHT} {y}", EDGE = REDIS - TABLE)
}

/// The way of a message, as far as this picture has its places.
#[must_use]
pub fn way(picture: &Picture, sent: &Sent) -> Vec<Leg> {
    let row = |id: &str| picture.instances.iter().position(|instance| instance.id == *id);
    let Some(from) = row(&sent.from) else { return Vec::new() };
    let y = middle(from);
    let mut way = vec![(format!("M{BROWSER} {y}H{LEFT}"), "leg one"), (format!("M{LEFT} {y}H{BROWSER}"), "leg two")];
    if !picture.redis {
        return way;
    }
    if !sent.carried {
        way.push((format!("M{RIGHT} {y}h12"), "leg two lost"));
        return way;
    }
    way.push((line(picture, from), "leg two"));
    for to in sent.to.iter().filter_map(|to| row(to)) {
        let y = middle(to);
        way.push((line_back(picture, to), "leg three"));
        way.push((format!("M{LEFT} {y}H{BROWSER}"), "leg four"));
    }
    way
}

/// The drawing.
#[component]
pub fn Drawing(
    /// What is known.
    picture: RwSignal<Picture>,
    /// Messages on their way, each in a place of its own.
    travels: Vec<RwSignal<Vec<Leg>>>,
) -> impl IntoView {
    let view_box = Signal::derive(move || format!("0 0 {WIDTH} {}", picture.with(height)));
    let still = part(move || Some(picture.with(still)));
    let moving: Vec<_> = travels.into_iter().map(|travel| part(move || moving(&travel.get()))).collect();
    view! {
        <svg class="cluster-drawing" viewBox=view_box aria-hidden="true" focusable="false">
            {still}
            {moving}
        </svg>
    }
}

/// A message on its way.
fn moving(legs: &[Leg]) -> Option<AnyView> {
    if legs.is_empty() {
        return None;
    }
    let legs: Vec<_> =
        legs.iter().map(|(path, class)| view! { <path class=*class d=path.clone() pathLength="1"></path> }).collect();
    Some(view! { <g class="travel">{legs}</g> }.boxed())
}

/// What does not move.
fn still(picture: &Picture) -> AnyView {
    let middle = height(picture) / 2;
    let rows: Vec<_> =
        picture.instances.iter().enumerate().map(|(row, instance)| row_of(picture, row, instance)).collect();
    let redis = picture.redis.then(|| {
        view! {
            <g class="redis">
                <circle cx=REDIS.to_string() cy=middle.to_string() r=TABLE.to_string()></circle>
                <text x=REDIS.to_string() y=(middle + 5).to_string()>"Redis"</text>
            </g>
        }
    });
    view! {
        <g>{rows}{redis}</g>
    }
    .boxed()
}

/// An instance with its browsers on one side, and its line to Redis on the other.
fn row_of(picture: &Picture, row: usize, instance: &Instance) -> AnyView {
    let y = middle(row);
    let at = |down: isize| y.saturating_add_signed(down).to_string();
    let class = format!("row {}{}", words::mark(instance.standing), if instance.here { " here" } else { "" });
    let mut way = format!("M{BROWSER} {y}H{LEFT}");
    if picture.redis {
        let whole = matches!(instance.standing, Standing::Live | Standing::Degraded);
        // A line that is cut ends in two short strokes.
        way += &if whole { line(picture, row) } else { format!("M{RIGHT} {y}h12m4 -6l-4 12m8 -12l-4 12") };
    }
    let place = if instance.here { "you" } else { "" };
    let bus = if picture.redis { format!("Redis {}", words::echo(instance.echo_us)) } else { "no Redis".to_owned() };
    let lines = [
        ("standing", 94, -5, words::standing(instance)),
        ("quiet", 82, 14, format!("in {} · out {}", words::rate(instance.in_tenths), words::rate(instance.out_tenths))),
        ("quiet", 82, 32, format!("{} · {bus}", words::count(instance.rooms, "room", "rooms"))),
        ("name", 82, -24, words::short(&instance.name)),
        // Below the browser: beside a name there is no room.
        ("place", 24, 32, place.to_owned()),
        ("tabs", 24, 6, instance.sockets.to_string()),
    ];
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(class, x, down, text)| view! { <text class=class x=x.to_string() y=at(down)>{text}</text> })
        .collect();
    // A window with its title bar.
    let tab =
        format!("M8 {}h32a4 4 0 0 1 4 4v24a4 4 0 0 1 -4 4h-32a4 4 0 0 1 -4 -4v-24a4 4 0 0 1 4 -4zm-4 7h40", y - 16);
    let (width, height) = ((RIGHT - LEFT).to_string(), (2 * HALF).to_string());
    view! {
        <g class=class>
            <path class="line" d=way></path>
            <path class="tab" d=tab></path>
            <rect x=LEFT.to_string() y=at(-44) width=width height=height rx="12"></rect>
            <circle class="mark" cx="86" cy=at(-9) r="4"></circle>
            {lines}
        </g>
    }
    .boxed()
}
