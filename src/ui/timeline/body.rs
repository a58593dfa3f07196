//! What a message says: text nodes and links, nothing else.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use tertulia_timeline::What;

use crate::ui::kit::links::{Piece, pieces};

/// The text of a message in its own direction, or that it was taken back.
#[component]
pub fn Body(
    /// What the row shows; notes are not drawn here.
    what: Memo<What>,
) -> impl IntoView {
    move || {
        what.with(|what| match what {
            What::Message { body, edited, .. } => EitherOf3::A(view! {
                <div class="body" dir="auto">
                    {pieces(body).into_iter().map(piece).collect_view()}
                    {edited.then(|| view! { <span class="edited">" (edited)"</span> })}
                </div>
            }),
            What::Deleted => EitherOf3::B(view! { <p class="body gone">"Taken back."</p> }),
            What::Note(_) => EitherOf3::C(()),
        })
    }
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
