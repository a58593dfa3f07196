//! Where one writes: a plain form that the connection takes over once the page lives.

#[cfg(test)]
mod tests;

mod drafts;

use leptos::html::Textarea;
use leptos::prelude::*;
use leptos::web_sys::{KeyboardEvent, SubmitEvent};
use tertulia_protocol::limits::BODY_CHARS;
use tertulia_protocol::{Body, Code, RoomId};

use crate::ui::connection::Connection;
use crate::ui::kit::{Boxed, Icon, Refused, browser, flag, text};
use crate::ui::room::OpenRoom;
use crate::ui::timeline::scroll;

/// From so many characters on they are counted: the last twentieth of what fits.
const COUNTED_FROM: usize = 9_500;
/// What old browsers say a key is while an input method composes (UI Events, legacy key codes).
const COMPOSING_KEY: u32 = 229;

/// The words for a message that cannot be held while 500 others wait.
const TOO_MANY: &str = "Too many messages wait already. This one stays here until some have gone.";

/// The composer's state, in one place for its handlers.
#[derive(Clone, Copy)]
struct Desk {
    connection: Connection,
    room: OpenRoom,
    text: NodeRef<Textarea>,
    length: RwSignal<usize>,
    refused: RwSignal<Option<String>>,
}

/// The form at the foot of a room.
#[component]
pub fn Composer(
    /// Where it writes.
    room: OpenRoom,
    /// The address of the room.
    address: String,
    /// The key of the plain form, so that sending it twice stores it once.
    form_key: String,
) -> impl IntoView {
    let desk = Desk {
        connection: Connection::current(),
        room,
        text: NodeRef::new(),
        length: RwSignal::new(0),
        refused: RwSignal::new(None),
    };
    desk.take_up();
    let action = address + "/messages";
    let hint = text(move || format!("Say something in {}", room.name.get()));
    // The text is never a child of the element: the server would write it unescaped (TR-02).
    view! {
        <form
            class="composer"
            method="post"
            action=action
            autocomplete="off"
            on:submit=move |event| desk.submitted(&event)
        >
            <input type="hidden" name="key" value=form_key />
            <div class="paper">
                <textarea
                    name="body"
                    rows="1"
                    dir="auto"
                    aria-label="Message"
                    aria-describedby="composer-words"
                    enterkeyhint="send"
                    placeholder=hint
                    node_ref=desk.text
                    on:input=move |_| desk.typed()
                    on:keydown=move |event| desk.pressed(&event)
                ></textarea>
                <button type="submit" class="send" aria-label="Send">
                    <Icon name="send" />
                </button>
            </div>
            <div class="composer-words" id="composer-words">
                <Words desk />
            </div>
            <Refused of="refused" />
        </form>
    }
    .boxed()
}

/// The line below: what is wrong, how long it is, who else writes.
#[component]
fn Words(
    /// The composer.
    desk: Desk,
) -> impl IntoView {
    let typing = text(move || desk.room.typing.with(|typing| typing_words(typing.iter().map(|who| who.name.as_str()))));
    let refused = text(move || desk.refused.get().unwrap_or_default());
    let fine = flag(move || desk.refused.with(Option::is_none));
    let short = flag(move || desk.length.get() <= COUNTED_FROM);
    let class = text(move || if desk.length.get() > BODY_CHARS { "counter over" } else { "counter" }.to_owned());
    let counter = text(move || counted(desk.length.get()));
    view! {
        <span class="typing">{typing}</span>
        <span class="refused" role="alert" hidden=fine>{refused}</span>
        <span class=class hidden=short>{counter}</span>
    }
}

/// `Ana is typing…`, `Ana and Bruno are typing…`, `Several people are typing…`; empty for nobody.
fn typing_words<'a>(names: impl Iterator<Item = &'a str>) -> String {
    match names.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [one] => format!("{one} is typing…"),
        [one, other] => format!("{one} and {other} are typing…"),
        _ => "Several people are typing…".to_owned(),
    }
}

/// How much of what fits is written.
fn counted(length: usize) -> String {
    match length.checked_sub(BODY_CHARS) {
        None | Some(0) => format!("{} of {} characters", grouped(length), grouped(BODY_CHARS)),
        Some(1) => format!("1 character more than the {} that fit", grouped(BODY_CHARS)),
        Some(excess) => format!("{} characters more than the {} that fit", grouped(excess), grouped(BODY_CHARS)),
    }
}

/// A number as the refusals spell it: `9,501`.
fn grouped(number: usize) -> String {
    match (number / 1_000, number % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}

impl Desk {
    /// Once the page lives: the draft comes back, and on a desk the caret is ready.
    fn take_up(self) {
        Effect::new(move || {
            let Some(text) = self.text.get() else { return };
            let draft = drafts::of(self.id());
            // What was typed before the page came alive is newer than any draft.
            if text.value().is_empty() && !draft.is_empty() {
                text.set_value(&draft);
            }
            self.measure();
            if browser::has_fine_pointer() && browser::is_focus_free() {
                // Losing the focus is no loss of function.
                let _ = text.focus();
            }
        });
    }

    const fn id(self) -> RoomId {
        self.room.id()
    }

    fn written(self) -> String {
        self.text.get_untracked().map(|text| text.value()).unwrap_or_default()
    }

    /// Counts, and grows where CSS alone cannot (`field-sizing` is missing in some browsers).
    fn measure(self) {
        let Some(text) = self.text.get_untracked() else { return };
        let length = text.value().chars().count();
        if self.length.get_untracked() != length {
            self.length.set(length);
        }
        let lines = text.value().bytes().filter(|byte| *byte == b'\n').count() + 1;
        text.set_rows(u32::try_from(lines.min(12)).unwrap_or(12));
    }

    fn typed(self) {
        self.measure();
        self.refused.set(None);
        let written = self.written();
        drafts::keep(self.id(), &written);
        if !written.trim().is_empty() {
            self.connection.typing();
        }
    }

    fn pressed(self, event: &KeyboardEvent) {
        match event.key().as_str() {
            "Escape" => scroll::to_newest(self.room),
            "Enter" if sends(event) => {
                event.prevent_default();
                self.submit_form();
            }
            _ => {}
        }
    }

    /// Submits as the button does, so that there is one way whether the connection takes it over or not.
    fn submit_form(self) {
        if let Some(form) = self.text.get_untracked().and_then(|text| text.form()) {
            // It cannot be refused: the form has nothing to validate.
            let _ = form.request_submit();
        }
    }

    fn submitted(self, event: &SubmitEvent) {
        // An older page is read only: its form posts, and the answer is the newest page.
        if !self.room.is_live() {
            return;
        }
        event.prevent_default();
        let body = match Body::parse(&self.written()) {
            Ok(body) => body,
            // Nothing was written: nothing is said about it.
            Err(refusal) if refusal.code == Code::Empty => return,
            Err(refusal) => return self.refused.set(Some(refusal.message.into_owned())),
        };
        if !self.connection.send(body) {
            return self.refused.set(Some(TOO_MANY.to_owned()));
        }
        self.clear();
        scroll::to_newest(self.room);
    }

    fn clear(self) {
        drafts::keep(self.id(), "");
        if let Some(text) = self.text.get_untracked() {
            text.set_value("");
            // See `take_up`.
            let _ = text.focus();
        }
        self.refused.set(None);
        self.measure();
    }
}

/// Whether this Enter sends: not with Shift, not inside an input method, not under a thumb.
fn sends(event: &KeyboardEvent) -> bool {
    let composing = event.is_composing() || event.key_code() == COMPOSING_KEY;
    let command = event.ctrl_key() || event.meta_key();
    !event.shift_key() && !composing && (command || browser::has_fine_pointer())
}
