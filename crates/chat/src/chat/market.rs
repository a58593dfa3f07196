//! The market among instances: one is elected to let it walk, all hear it, and a room can be told a price.

use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::quote::{self, symbol};
use tertulia_protocol::{Code, Refusal};
use tokio::time::{MissedTickBehavior, interval};

use super::Chat;
use crate::bus::Topic;
use crate::market::{Market, Sheet};
use crate::news::News;
use crate::seldom::Seldom;

/// The office of the one instance that lets the market walk.
const OFFICE: &str = "stocks";
/// A tick of the market.
const TICK: Duration = Duration::from_secs(1);
/// How often the others are asked for the past, a tick apart: an answer takes milliseconds, and may be lost.
const ASKED_AT_MOST: u32 = 3;
/// How often the log is told of prices that cannot be true, at most.
const TELL_EVERY: Duration = Duration::from_secs(60);

impl Chat {
    /// The market, if this host has one.
    #[must_use]
    pub const fn market(&self) -> Option<&Market> {
        self.market.as_ref()
    }

    /// Lets the market walk while this instance is elected, and asks the others for the past: at the start, and when
    /// seconds may have been missed. Whoever is elected and knows nothing opens the market once the others, asked a
    /// tick before, had nothing to tell either.
    ///
    /// It walks and is told whether or not somebody watches: every instance must know the price of this second at any
    /// moment and without asking, for `/stocks AAPL` in a room, which is answered within the send, and for the first HTML
    /// of the page, which waits for nobody. That costs one message of less than half a kilobyte a second in the whole
    /// cluster, about what one instance's heartbeats cost, and a microsecond of whole numbers; an instance alone carries
    /// it nowhere. Whoever wants not even that turns the market off.
    pub(super) async fn trade(self: Arc<Self>) {
        let Some(market) = &self.market else { return };
        let elected = self.elect(OFFICE);
        let link = self.bus.link();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = 0;
        loop {
            tick.tick().await;
            if *elected.borrow() && (market.is_open() || asked > 0) {
                let sheet = market.trade(self.clock.now_ms());
                self.fanout.publish(Topic::Everyone, News::Prices { sheet });
            }
            if !market.has_doubt() {
                asked = 0;
            } else if asked < ASKED_AT_MOST || !market.is_open() {
                asked = asked.saturating_add(u32::from(link.borrow().is_up()));
                self.fanout.publish(Topic::Everyone, News::AskPrices);
            } else {
                // Nobody knows more than we do.
                market.settle();
            }
        }
    }

    pub(super) fn hear_prices(&self, from: &str, sheet: Sheet) {
        static UNUSABLE: Seldom = Seldom::new(TELL_EVERY);
        let Some(market) = &self.market else { return };
        if market.hear(sheet, self.clock.now_ms()).is_err()
            && let Some(times) = UNUSABLE.count()
        {
            tracing::warn!(times, %from, "prices that cannot be true; dropped. Do the clocks agree?");
        }
    }

    /// Another instance wants to know the past. All who know it answer, since none knows who else does.
    pub(super) fn hear_ask_prices(&self) {
        if let Some(sheet) = self.market.as_ref().and_then(Market::answer) {
            self.fanout.publish(Topic::Everyone, News::Prices { sheet });
        }
    }

    /// What a text that asks for a quote is stored as: the price at this moment, for ever. `None` for other texts,
    /// and for all where there is no market.
    pub(super) fn quoted(&self, text: &str) -> Result<Option<String>, Refusal> {
        let (Some(market), Some(asked)) = (&self.market, quote::asked(text)) else { return Ok(None) };
        let Some(latest) = market.latest() else {
            return Err(Refusal::new(Code::Busy, "The market opens in a moment.").retry_after(1_000));
        };
        let found = symbol(asked).and_then(|symbol| latest.quotes().find(|quote| quote.symbol == symbol));
        found.map(|quote| Some(quote.to_card())).ok_or_else(|| {
            let known = latest.board.symbols.join(", ");
            let message = match symbol(asked) {
                Some(symbol) => format!("There is no stock {symbol} here. There are {known}."),
                None => format!("Say which stock: {known}."),
            };
            Refusal::new(Code::BadField, message).field("body")
        })
    }
}
