//! What the page knows of the market: one price for each five seconds of the last five minutes. The server draws the
//! first page with the same code.

use serde::Serialize;
use tertulia_protocol::Quote;
use tertulia_protocol::quote::{per_cent, signed, units};

/// How long one point of a line stands for, in milliseconds.
const STEP_MS: i64 = 5_000;
/// Points of a line: five minutes, and the point that still moves.
const POINTS: usize = 61;

/// The market as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Market {
    /// Whether the host has no market at all.
    pub off: bool,
    /// The stocks in the order of the page.
    pub stocks: Vec<Stock>,
}

/// One stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stock {
    /// Its name.
    pub symbol: String,
    /// What it opened at, in cents.
    pub open: i64,
    /// When its newest price was heard of, in Unix milliseconds.
    pub at: i64,
    /// A price for each step, in cents, the newest last; 0 where none is known. Never empty, at most 61.
    pub prices: Vec<i64>,
}

tertulia_protocol::from_json!(Market { off, stocks });
tertulia_protocol::from_json!(Stock { symbol, open, at, prices });
tertulia_protocol::deserialize_from_json!(Market);

impl Market {
    /// Takes a quote in.
    pub fn hear(&mut self, quote: &Quote) {
        match self.stocks.iter_mut().find(|stock| stock.symbol == quote.symbol) {
            Some(stock) => stock.hear(quote),
            None => self.stocks.push(Stock::new(quote)),
        }
    }
}

impl Stock {
    /// A stock that was just heard of.
    #[must_use]
    pub fn new(quote: &Quote) -> Self {
        Self { symbol: quote.symbol.clone(), open: quote.open(), at: quote.at, prices: vec![quote.price] }
    }

    /// Takes a newer price in; an older one changes nothing.
    pub fn hear(&mut self, quote: &Quote) {
        if quote.at < self.at {
            return;
        }
        let steps = usize::try_from(quote.at / STEP_MS - self.at / STEP_MS).unwrap_or(0).min(POINTS);
        if steps == 0 {
            self.prices.pop();
        }
        self.prices.resize(self.prices.len() + steps.saturating_sub(1), 0);
        self.prices.push(quote.price);
        self.prices.drain(..self.prices.len().saturating_sub(POINTS));
        (self.at, self.open) = (quote.at, quote.open());
    }

    /// The newest price, in cents.
    #[must_use]
    pub fn price(&self) -> i64 {
        self.prices.last().copied().unwrap_or(self.open)
    }

    /// Against the opening, in cents.
    #[must_use]
    pub fn change(&self) -> i64 {
        self.price() - self.open
    }

    /// The change in per cent.
    #[must_use]
    pub fn share(&self) -> String {
        per_cent(self.change(), self.open)
    }

    /// The change with its sign.
    #[must_use]
    pub fn signed(&self) -> String {
        signed(self.change())
    }

    fn known(&self) -> impl Iterator<Item = i64> + '_ {
        self.prices.iter().copied().filter(|price| *price > 0)
    }

    /// The lowest and the highest price of the five minutes: what a line says to whoever cannot see it.
    #[must_use]
    pub fn range(&self) -> String {
        let (low, high) = (self.known().min().unwrap_or(self.open), self.known().max().unwrap_or(self.open));
        format!("{} to {}", units(low), units(high))
    }

    /// The course as SVG paths in a box of 600 × 100: the line of the opening, the line of the prices, the area
    /// between. Whole numbers only; a price is never exactly on the edge, where a stroke would be cut.
    #[must_use]
    pub fn course(&self) -> Course {
        let low = self.known().min().unwrap_or(self.open).min(self.open);
        let high = self.known().max().unwrap_or(self.open).max(self.open).max(low + 1);
        let y = |price: i64| 94 - (price - low) * 88 / (high - low);
        let first = POINTS - self.prices.len().min(POINTS);
        let mut trace = String::new();
        let mut start = 0;
        for (index, price) in self.prices.iter().enumerate().filter(|(_, price)| **price > 0) {
            let x = (first + index) * 10;
            if trace.is_empty() {
                start = x;
            }
            trace.push(if trace.is_empty() { 'M' } else { 'L' });
            trace.push_str(&format!("{x} {}", y(*price)));
        }
        let open = y(self.open);
        let area = format!("{trace}V{open}H{start}Z");
        Course { base: format!("M0 {open}H600"), trace, area }
    }
}

/// A line as SVG paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The opening price.
    pub base: String,
    /// The prices.
    pub trace: String,
    /// What lies between the two.
    pub area: String,
}
