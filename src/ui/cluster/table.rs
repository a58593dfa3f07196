//! The instances as a table: what the drawing shows, for ears, for small screens and for pages without scripts.

use leptos::prelude::*;
use tertulia_protocol::cluster::{Instance, Picture};

use super::words;
use crate::ui::kit::{Boxed, part};

/// What each column tells.
const COLUMNS: [&str; 8] = ["Instance", "State", "Up for", "Tabs", "Rooms", "In", "Out", "To Redis and back"];

/// The table.
#[component]
pub fn Numbers(
    /// What is known.
    picture: RwSignal<Picture>,
) -> impl IntoView {
    let heads: Vec<_> = COLUMNS.iter().map(|name| view! { <th scope="col">{*name}</th> }).collect();
    let rows = part(move || Some(picture.with(rows)));
    view! {
        <table class="cluster-table">
            <caption class="unseen">"The instances of the cluster"</caption>
            <thead>
                <tr>{heads}</tr>
            </thead>
            {rows}
        </table>
    }
}

fn rows(picture: &Picture) -> AnyView {
    let rows: Vec<_> = picture.instances.iter().map(row).collect();
    view! { <tbody>{rows}</tbody> }.boxed()
}

fn row(instance: &Instance) -> AnyView {
    let cells = [
        words::standing(instance),
        words::duration(instance.uptime_s),
        instance.sockets.to_string(),
        instance.rooms.to_string(),
        words::rate(instance.in_tenths),
        words::rate(instance.out_tenths),
        words::echo(instance.echo_us),
    ];
    // A phone has no room for the heads of eight columns: each cell carries its own.
    let named = COLUMNS.iter().skip(1).zip(cells);
    let cells: Vec<_> = named.map(|(name, cell)| view! { <td data-name=*name>{cell}</td> }).collect();
    let place = if instance.here { " (you are here)" } else { "" };
    view! {
        <tr>
            <th scope="row" dir="auto">{instance.name.clone()}{place}</th>
            {cells}
        </tr>
    }
    .boxed()
}
