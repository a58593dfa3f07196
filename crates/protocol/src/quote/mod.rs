//! Quotes of stocks: what the feed says of one, and how one reads as a message. Prices are whole cents.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::json::{FromJson, Misread, Object, Value};
use crate::limits::{PRICE_CENTS, SYMBOL_BYTES};

/// A price of a stock at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Which stock: 1 to 8 capital letters, digits or dots.
    pub symbol: String,
    /// In cents, 1 to [`PRICE_CENTS`].
    pub price: i64,
    /// Against the opening price, in cents.
    pub change: i64,
    /// When, in Unix milliseconds.
    pub at: i64,
}

/// Which way a price went since the market opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// Higher.
    Up,
    /// Lower.
    Down,
    /// As it was.
    Even,
}

impl Trend {
    /// Of a change in cents.
    #[must_use]
    pub const fn of(change: i64) -> Self {
        match change {
            1.. => Self::Up,
            0 => Self::Even,
            _ => Self::Down,
        }
    }

    /// Its mark, which says it without a colour.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Up => "▲",
            Self::Down => "▼",
            Self::Even => "■",
        }
    }

    /// Its word, for classes and for ears.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Even => "even",
        }
    }
}

impl Quote {
    /// The price the market opened at, in cents.
    #[must_use]
    pub const fn open(&self) -> i64 {
        self.price - self.change
    }
}

/// As the feed says it: `{"symbol":"AAPL","price":189.20,"change":0.42,"at":1763689200000}`.
impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.change < 0 { "-" } else { "" };
        let (price, change) = (units(self.price), units(self.change));
        // A symbol holds nothing that JSON would escape.
        write!(f, r#"{{"symbol":"{}","price":{price},"change":{sign}{change},"at":{}}}"#, self.symbol, self.at)
    }
}

impl FromJson for Quote {
    fn from_json(value: Value) -> Result<Self, Misread> {
        let mut object = Object::of(value)?;
        let Cents(price) = object.take("price")?;
        let Cents(change) = object.take("change")?;
        let quote = Self { symbol: object.take("symbol")?, price, change, at: object.take("at")? };
        if symbol(&quote.symbol).as_ref() == Some(&quote.symbol) { Ok(quote) } else { Err(Misread("symbol")) }
    }
}

/// An amount as JSON has it: a number with two decimals.
struct Cents(i64);

impl FromJson for Cents {
    fn from_json(value: Value) -> Result<Self, Misread> {
        let cents = value.as_f64().map(|units| (units * 100.0).round());
        let cents = cents.filter(|cents| cents.abs() <= PRICE_CENTS as f64).ok_or(Misread("amount"))?;
        #[expect(clippy::cast_possible_truncation, reason = "within the highest price")]
        let cents = cents as i64;
        Ok(Self(cents))
    }
}

/// A symbol in capital letters; `None` for what is none.
#[must_use]
pub fn symbol(text: &str) -> Option<String> {
    let fits = (1..=SYMBOL_BYTES).contains(&text.len());
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    (fits && plain).then(|| text.to_ascii_uppercase())
}

/// Cents in units, without a sign: `189.20`.
#[must_use]
pub fn units(cents: i64) -> String {
    let cents = cents.unsigned_abs();
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A change in cents with its sign: `+0.42`, `−1.07`, `0.00`.
#[must_use]
pub fn signed(cents: i64) -> String {
    format!("{}{}", sign(cents), units(cents))
}

/// A change against the opening price in per cent: `+0.22 %`.
#[must_use]
pub fn per_cent(change: i64, open: i64) -> String {
    let hundredths = change.saturating_mul(10_000) / open.max(1);
    format!("{}{} %", sign(hundredths), units(hundredths))
}

const fn sign(cents: i64) -> &'static str {
    match Trend::of(cents) {
        Trend::Up => "+",
        Trend::Down => "−",
        Trend::Even => "",
    }
}

/// The word that asks for a quote in a room.
const COMMAND: &str = "/stocks";

/// What a text asks for when it is `/stocks` and at most one word: that word, or an empty one. Other texts are texts.
#[must_use]
pub fn asked(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix(COMMAND)?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let word = rest.trim();
    (!word.contains(char::is_whitespace)).then_some(word)
}

/// Whether a message is the quote that these words asked for.
#[must_use]
pub fn answers(body: &str, words: &str) -> bool {
    let wanted = asked(words).and_then(symbol);
    Card::read(body).is_some_and(|card| wanted.as_deref() == Some(card.symbol))
}

/// The parts of a quote that was posted as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card<'a> {
    /// Which stock.
    pub symbol: &'a str,
    /// `189.20`.
    pub price: &'a str,
    /// Which way it went.
    pub trend: Trend,
    /// `+0.42 (+0.22 %)`.
    pub change: &'a str,
}

impl Quote {
    /// The quote as a message: `AAPL 189.20 ▲ +0.42 (+0.22 %)` and one space at the end. No text of a person ends in a
    /// space ([`crate::Body::parse`] takes it off), so nobody can write what looks like the market's word.
    #[must_use]
    pub fn to_card(&self) -> String {
        let mark = Trend::of(self.change).mark();
        let (price, change) = (units(self.price), signed(self.change));
        format!("{} {price} {mark} {change} ({}) ", self.symbol, per_cent(self.change, self.open()))
    }
}

impl<'a> Card<'a> {
    /// Reads what [`Quote::to_card`] wrote; `None` for every text of a person.
    #[must_use]
    pub fn read(body: &'a str) -> Option<Self> {
        let mut parts = body.strip_suffix(' ')?.splitn(4, ' ');
        let (symbol, price, mark, change) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let trend = [Trend::Up, Trend::Down, Trend::Even].into_iter().find(|trend| trend.mark() == mark)?;
        Some(Self { symbol, price, trend, change })
    }
}
