//! What a message says: text nodes and links, nothing else.

#[cfg(test)]
mod tests;

use leptos::either::Either;
use leptos::prelude::*;
use tertulia_protocol::quote::Card;
use tertulia_timeline::What;

use crate::ui::kit::Boxed;
use crate::ui::kit::links::{Piece, pieces};
use crate::ui::kit::part;

/// Lines above which a message is folded: more than a screen shows.
const LINES: usize = 40;
/// Characters above which it is folded however they are broken into lines: 40 lines of 72.
const CHARS: usize = 2_880;

/// Whether a message is drawn folded.
fn is_long(body: &str) -> bool {
    body.bytes().filter(|byte| *byte == b'\n').count() >= LINES || body.chars().count() > CHARS
}

/// The text of a message in its own direction, or that it was taken back.
#[component]
pub fn Body(
    /// What the row shows; notes are not drawn here.
    what: Memo<What>,
) -> impl IntoView {
    part(move || {
        what.with(|what| match what {
            What::Message { body, edited, .. } => Some(match Card::read(body) {
                Some(card) => quote(card),
                None => view! {
                    <div class=if is_long(body) { "body long" } else { "body" } dir="auto">
                        {pieces(body).into_iter().map(piece).collect_view()}
                        {edited.then(|| view! { <span class="edited">" (edited)"</span> })}
                    </div>
                    {is_long(body).then(|| view! {
                        // A box to tick needs no script.
                        <label class="show-all"><input type="checkbox" />" Show all"</label>
                    })}
                }
                .boxed(),
            }),
            What::Deleted => Some(view! { <p class="body gone">"Taken back."</p> }.boxed()),
            What::Note(_) => None,
        })
    })
}

/// What the market said, once and for ever.
fn quote(card: Card<'_>) -> AnyView {
    let class = format!("body quote {}", card.trend.word());
    let change = format!("{} {}", card.trend.mark(), card.change);
    view! {
        <div class=class>
            <b>{card.symbol.to_owned()}</b>
            " "
            <span class="price">{card.price.to_owned()}</span>
            " "
            <span class="change">{change}</span>
        </div>
    }
    .boxed()
}

fn piece(piece: Piece) -> impl IntoView {
    match piece {
        Piece::Text(text) => Either::Left(text),
        Piece::Link(address) => {
            let shown = address.clone();
            Either::Right(view! {
                <a href=address target="_blank" rel="noopener noreferrer nofollow ugc">{shown}</a>
            })
        }
    }
}
