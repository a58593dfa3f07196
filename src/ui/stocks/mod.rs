//! The stock market, live: a table that is complete without a script, and then changes by itself.

pub mod market;
#[cfg(test)]
mod tests;

use std::time::Duration;

use leptos::prelude::*;
use tertulia_protocol::Quote;
use tertulia_protocol::codec::decode;
use tertulia_protocol::quote::{Trend, units};

use self::market::{Market, Stock};
use crate::ui::kit::stream::{Heard, Stream};
use crate::ui::kit::{Boxed, PageTitle, Table, Wordmark, flag, part, text};

/// Where the page is.
pub const STOCKS: &str = "/stocks";
/// The stream, and the name of its events.
const FEED: &str = "/feeds/stocks";
const EVENT: &str = "quote";
/// The event that says that the session has ended.
const BYE: &str = "bye";
/// The way in that leads back here.
pub const ENTRANCE: &str = "/?next=/stocks";
/// How long no price comes until the page says so: five ticks.
const QUIET: Duration = Duration::from_secs(5);
/// How soon a stream that the server refused is asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// How it stands between this page and the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The page has not come alive: what the server writes.
    Still,
    /// The stream is being opened by the reader.
    Opening,
    /// Prices come.
    Live,
    /// The stream stands and no price comes: nobody rolls them, or no instance hears another.
    Silent,
    /// The reader wants to look at them.
    Paused,
    /// The stream is gone; another is tried by itself.
    Lost,
    /// The session has ended, and with it the right to look.
    Over,
}

impl Phase {
    const fn words(self) -> &'static str {
        match self {
            Self::Still => "",
            Self::Opening => "Catching up",
            Self::Live => "Live",
            Self::Silent => "Waiting for prices",
            Self::Paused => "Paused",
            Self::Lost => "Reconnecting",
            Self::Over => "Signed out",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Still => "status still",
            Self::Live => "status live",
            Self::Opening | Self::Silent | Self::Paused => "status catching",
            Self::Lost | Self::Over => "status offline",
        }
    }
}

/// What the page shows, and the stream that feeds it.
#[derive(Clone, Copy)]
struct Ticker {
    rows: RwSignal<Vec<RwSignal<Stock>>>,
    phase: RwSignal<Phase>,
    /// How many prices came.
    heard: StoredValue<u64>,
    stream: StoredValue<Option<Stream>, LocalStorage>,
}

impl Ticker {
    fn new(stocks: Vec<Stock>) -> Self {
        Self {
            rows: RwSignal::new(stocks.into_iter().map(RwSignal::new).collect()),
            phase: RwSignal::new(Phase::Still),
            heard: StoredValue::new(0),
            stream: StoredValue::new_local(None),
        }
    }

    /// Says so when no price came for a while, as long as the page stands.
    fn watch(self, before: u64) {
        set_timeout(
            move || {
                let Some(heard) = self.heard.try_get_value() else { return };
                if heard == before && self.phase.get_untracked() == Phase::Live {
                    self.phase.set(Phase::Silent);
                }
                self.watch(heard);
            },
            QUIET,
        );
    }

    /// Opens the stream where the newest price left off; the server tells what came since.
    fn open(self) {
        let newest = |rows: &Vec<RwSignal<Stock>>| rows.iter().map(|row| row.with_untracked(|stock| stock.at)).max();
        let after = self.rows.with_untracked(newest).unwrap_or(0) / 1_000;
        let stream = Stream::open(&format!("{FEED}?after={after}"), &[EVENT, BYE], move |heard| match heard {
            Heard::Event { name, .. } if name == BYE => self.end(),
            // What cannot be read is skipped: a newer server may say more than this page knows.
            Heard::Event { data, .. } => {
                if let Ok(quote) = decode::<Quote>(&data) {
                    self.hear(&quote);
                }
            }
            Heard::Lost => self.lose(),
            Heard::Refused => {
                self.lose();
                set_timeout(
                    move || {
                        if self.phase.try_get_untracked() == Some(Phase::Lost) {
                            self.open();
                        }
                    },
                    AGAIN,
                );
            }
        });
        self.stream.set_value(stream);
    }

    /// What ends after a goodbye is not lost.
    fn lose(self) {
        if self.phase.get_untracked() != Phase::Over {
            self.phase.set(Phase::Lost);
        }
    }

    /// The server does not want this session back; whoever looks is told how to come in again.
    fn end(self) {
        self.phase.set(Phase::Over);
        // Not here: it is the stream itself that calls.
        set_timeout(move || self.stream.try_update_value(|stream| *stream = None).unwrap_or(()), Duration::ZERO);
    }

    fn hear(self, quote: &Quote) {
        self.heard.update_value(|heard| *heard += 1);
        if self.phase.get_untracked() != Phase::Live {
            self.phase.set(Phase::Live);
        }
        let known = self.rows.with_untracked(|rows| {
            rows.iter().find(|row| row.with_untracked(|stock| stock.symbol == quote.symbol)).copied()
        });
        match known {
            Some(row) => row.update(|stock| stock.hear(quote)),
            None => self.rows.update(|rows| rows.push(RwSignal::new(Stock::new(quote)))),
        }
    }

    fn pause_or_resume(self) {
        if self.phase.get_untracked() == Phase::Paused {
            self.phase.set(Phase::Opening);
            self.open();
        } else {
            self.stream.set_value(None);
            self.phase.set(Phase::Paused);
        }
    }
}

/// The page behind `/stocks`.
#[component]
pub fn StocksPage() -> impl IntoView {
    // Read before the rendering by the server's handler; a page that is opened from another one begins empty.
    let market = SharedValue::new(|| use_context::<Market>().unwrap_or_default()).into_inner();
    if market.off {
        return view! { <Off /> }.boxed();
    }
    let ticker = Ticker::new(market.stocks);
    Effect::new(move || {
        ticker.open();
        ticker.watch(0);
    });
    let class = text(move || ticker.phase.get().class().to_owned());
    let words = text(move || ticker.phase.get().words().to_owned());
    let idle = flag(move || matches!(ticker.phase.get(), Phase::Still | Phase::Over));
    let entered = flag(move || ticker.phase.get() != Phase::Over);
    let verb = text(move || if ticker.phase.get() == Phase::Paused { "Resume" } else { "Pause" }.to_owned());
    view! {
        <PageTitle name="Stocks".to_owned() />
        <main class="stocks">
            <a class="home" href="/r/chat">
                <Wordmark />
            </a>
            <header>
                <h1>"Stocks"</h1>
                <noscript>"Reload to see newer prices."</noscript>
                <p class=class role="status">{words}</p>
                <a href=ENTRANCE rel="external" hidden=entered>"Enter again"</a>
                <button type="button" hidden=idle on:click=move |_| ticker.pause_or_resume()>{verb}</button>
            </header>
            <p class="about">"A market that exists nowhere else: one server rolls the prices, and all of them show the same."</p>
            <Prices ticker />
            <footer>
                <p>"In a room, " <code>"/stocks AAPL"</code> " posts the price of the moment."</p>
                <p>"For programs: " <a href=FEED rel="external"><code>"/feeds/stocks"</code></a></p>
            </footer>
        </main>
    }
    .boxed()
}

/// The table, or that it will be there.
#[component]
fn Prices(
    /// What it shows.
    ticker: Ticker,
) -> impl IntoView {
    let empty = flag(move || !ticker.rows.with(Vec::is_empty));
    view! {
        <p class="silence" hidden=empty>"The market opens in a moment."</p>
        <table>
            <caption class="unseen">"Prices and their course"</caption>
            <thead>
                <tr>
                    <th scope="col">"Stock"</th>
                    <th scope="col">"Price"</th>
                    <th scope="col">"Since opening"</th>
                    <th scope="col" class="course">"Last five minutes"</th>
                </tr>
            </thead>
            <tbody>
                {part(move || {
                    let rows = ticker.rows.get().into_iter().map(|stock| view! { <StockRow stock /> }.boxed());
                    Some(rows.collect::<Vec<_>>().boxed())
                })}
            </tbody>
        </table>
    }
    .boxed()
}

/// One stock. Up and down are said by a mark and a sign, and by colour for whoever sees it.
#[component]
fn StockRow(
    /// What is known of it.
    stock: RwSignal<Stock>,
) -> impl IntoView {
    let of = move |read: fn(&Stock) -> String| text(move || stock.with(read));
    let course = Memo::new(move |_| stock.with(Stock::course));
    let base = text(move || course.with(|course| course.base.clone()));
    let area = text(move || course.with(|course| course.area.clone()));
    let trace = text(move || course.with(|course| course.trace.clone()));
    view! {
        <tr class=of(|stock| Trend::of(stock.change()).word().to_owned())>
            <th scope="row">{of(|stock| stock.symbol.clone())}</th>
            <td class="price">{of(|stock| units(stock.price()))}</td>
            <td class="change">
                <span class="mark" aria-hidden="true">{of(|stock| Trend::of(stock.change()).mark().to_owned())}</span>
                <span>{of(Stock::signed)}</span>
                <span class="share">{of(Stock::share)}</span>
            </td>
            <td class="course">
                <svg viewBox="0 0 600 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                    <path class="base" d=base />
                    <path class="area" d=area />
                    <path class="trace" d=trace />
                </svg>
                <span class="range">{of(Stock::range)}</span>
            </td>
        </tr>
    }
}

/// That this host has no market.
#[component]
fn Off() -> impl IntoView {
    view! {
        <PageTitle name="No market here".to_owned() />
        <main class="absent">
            <Table />
            <h1>"No market here"</h1>
            <p>"The settings of this server turn the stock market off."</p>
            <p class="ways">
                <a href="/r/chat">"Go to the lobby"</a>
            </p>
        </main>
    }
}
