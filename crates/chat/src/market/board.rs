//! Prices of one second, and how they travel between instances: untrusted when they arrive.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tertulia_protocol::Quote;
use tertulia_protocol::limits::{PRICE_CENTS, SYMBOLS};
use tertulia_protocol::quote::symbol;

use super::HISTORY_SECONDS;

/// How far another instance's clock may be ahead, in seconds. Further, and its prices would stand in the way of ours.
const AHEAD_SECONDS: i64 = 60;

/// What is traded, in the order of pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The stocks, at most [`SYMBOLS`].
    pub symbols: Vec<String>,
    /// What each opened at, in cents.
    pub opens: Vec<i64>,
}

impl Board {
    fn position(&self, symbol: &str) -> Option<usize> {
        self.symbols.iter().position(|known| known == symbol)
    }

    /// What a stock opened at, in cents.
    pub(super) fn open(&self, symbol: &str) -> Option<i64> {
        self.opens.get(self.position(symbol)?).copied()
    }

    fn is_sound(&self) -> bool {
        let distinct: HashSet<&String> = self.symbols.iter().collect();
        (1..=SYMBOLS).contains(&self.symbols.len())
            && distinct.len() == self.symbols.len()
            && self.symbols.iter().all(|name| symbol(name).as_ref() == Some(name))
            && self.are_prices(&self.opens)
    }

    fn are_prices(&self, prices: &[i64]) -> bool {
        prices.len() == self.symbols.len() && prices.iter().all(|price| (1..=PRICE_CENTS).contains(price))
    }
}

/// All prices of one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Which second, in Unix time.
    pub second: i64,
    /// Whose prices.
    pub board: Arc<Board>,
    /// In cents, in the order of the board.
    pub prices: Vec<i64>,
}

impl Tick {
    /// The price of a stock, in cents.
    pub(super) fn price(&self, symbol: &str) -> Option<i64> {
        self.prices.get(self.board.position(symbol)?).copied()
    }

    /// What the feed says of each stock, in the order of the board.
    pub fn quotes(&self) -> impl Iterator<Item = Quote> + '_ {
        let stocks = self.board.symbols.iter().zip(&self.board.opens).zip(&self.prices);
        stocks.map(|((symbol, open), price)| Quote {
            symbol: symbol.clone(),
            price: *price,
            change: price - open,
            at: self.second.saturating_mul(1_000),
        })
    }
}

/// A run of ticks as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sheet {
    #[serde(flatten)]
    board: Board,
    /// Seconds with their prices, ascending.
    ticks: Vec<(i64, Vec<i64>)>,
}

/// Prices that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable;

impl Sheet {
    /// Writes ticks of one board down.
    pub(super) fn of(ticks: &[Tick]) -> Self {
        let board =
            ticks.last().map_or(Board { symbols: Vec::new(), opens: Vec::new() }, |tick| Board::clone(&tick.board));
        Self { board, ticks: ticks.iter().map(|tick| (tick.second, tick.prices.clone())).collect() }
    }

    /// Reads what another instance wrote at about the second `now`.
    pub(super) fn into_ticks(self, now: i64) -> Result<Vec<Tick>, Unusable> {
        let Self { board, ticks } = self;
        let in_time = now - 2 * HISTORY_SECONDS..=now + AHEAD_SECONDS;
        let ascending = ticks.windows(2).all(|two| two[0].0 < two[1].0);
        let sound = board.is_sound()
            && (1..=HISTORY_SECONDS).contains(&(ticks.len() as i64))
            && ascending
            && ticks.iter().all(|(second, prices)| in_time.contains(second) && board.are_prices(prices));
        if !sound {
            return Err(Unusable);
        }
        let board = Arc::new(board);
        Ok(ticks.into_iter().map(|(second, prices)| Tick { second, board: board.clone(), prices }).collect())
    }
}
