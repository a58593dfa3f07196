//! A simulated stock market: one instance lets the prices walk, the others hear them, and all show the same.
//!
//! Nothing is kept on disk. Whoever comes late asks the others, and whoever takes over goes on from the last prices.

mod board;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tertulia_protocol::Quote;
use tertulia_protocol::limits::SYMBOLS;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use board::{Board, Tick};
pub(crate) use board::{Sheet, Unusable};

/// Seconds that are remembered, one tick each: five minutes.
pub const HISTORY_SECONDS: i64 = 300;
/// Seconds that may wait for one watcher: half a minute, after which it is let go and may come back for what it missed.
const WAITING: usize = 32;

/// How often an instance tells the past: an answer is heard by all, and is as long as a page.
const ANSWER_EVERY: Duration = Duration::from_secs(1);

/// The stocks that are there without being asked for, with the prices they open at, in cents. Invented, like the rest.
pub const LISTED: [(&str, i64); 10] = [
    ("AAPL", 18_920),
    ("AMZN", 17_850),
    ("GOOG", 16_410),
    ("IBM", 17_260),
    ("META", 48_230),
    ("MSFT", 41_575),
    ("NFLX", 60_840),
    ("NVDA", 11_725),
    ("SAP", 17_385),
    ("TSLA", 22_190),
];

/// What the host may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketOptions {
    /// What the walk is made of: the same seed walks the same way.
    pub seed: u64,
    /// Stocks besides [`LISTED`], as [`tertulia_protocol::quote::symbol`] writes them.
    pub more: Vec<String>,
}

/// Seconds that became known at once: one, or five minutes when a market opens or is heard of.
pub type Ticks = Arc<[Arc<Tick>]>;

/// The market as one instance knows it.
pub struct Market {
    seed: u64,
    /// What is traded when this instance opens or leads the market, in the order of pages; at most [`SYMBOLS`].
    symbols: Vec<String>,
    /// By second; the newest decides what is too old.
    ticks: Mutex<BTreeMap<i64, Arc<Tick>>>,
    news: broadcast::Sender<Ticks>,
    closed: CancellationToken,
    /// Whether seconds may be missing that others know.
    doubt: AtomicBool,
    /// When the past was told last.
    answered: Mutex<Option<Instant>>,
}

impl Market {
    /// A market that has not opened.
    #[must_use]
    pub fn new(options: MarketOptions) -> Self {
        let mut symbols: Vec<String> = LISTED.iter().map(|(symbol, _)| (*symbol).to_owned()).collect();
        for symbol in options.more {
            if !symbols.contains(&symbol) && symbols.len() < SYMBOLS {
                symbols.push(symbol);
            }
        }
        let (news, _) = broadcast::channel(WAITING);
        Self {
            seed: options.seed,
            symbols,
            ticks: Mutex::default(),
            news,
            closed: CancellationToken::new(),
            doubt: AtomicBool::new(true),
            answered: Mutex::default(),
        }
    }

    /// Lets one second pass at `now_ms` (Unix milliseconds). The first time the market opens, and is five minutes old
    /// at once: a page would otherwise have nothing to draw. Returns what the other instances must be told.
    pub(crate) fn trade(&self, now_ms: i64) -> Sheet {
        let now = now_ms.div_euclid(1_000);
        let mut ticks = self.lock();
        let made = match ticks.last_key_value() {
            // A second is never told twice, even by a clock that was set back.
            Some((last, tick)) => vec![self.after(tick, now.max(last.saturating_add(1)))],
            None => self.opening(now),
        };
        let sheet = Sheet::of(&made);
        self.take(&mut ticks, made);
        sheet
    }

    /// What every stock does in the second `second`, from where it stood.
    fn after(&self, last: &Tick, second: i64) -> Tick {
        let open = |symbol: &str| last.board.open(symbol).unwrap_or_else(|| walk::opening_price(self.seed, symbol));
        let board = Board { opens: self.symbols.iter().map(|s| open(s)).collect(), symbols: self.symbols.clone() };
        let board = if board == *last.board { last.board.clone() } else { Arc::new(board) };
        let stocks = board.symbols.iter().zip(&board.opens);
        let prices = stocks
            .map(|(symbol, open)| walk::step(self.seed, symbol, second, *open, last.price(symbol).unwrap_or(*open)));
        Tick { second, prices: prices.collect(), board }
    }

    fn opening(&self, now: i64) -> Vec<Tick> {
        let opens: Vec<i64> = self.symbols.iter().map(|symbol| walk::opening_price(self.seed, symbol)).collect();
        let board = Arc::new(Board { symbols: self.symbols.clone(), opens: opens.clone() });
        let first = Tick { second: now.saturating_sub(HISTORY_SECONDS - 1), board, prices: opens };
        let mut ticks = vec![first];
        while let Some(last) = ticks.last().filter(|last| last.second < now) {
            ticks.push(self.after(last, last.second + 1));
        }
        ticks
    }

    /// Takes what another instance says of the market: the next second, or the past that was asked for.
    ///
    /// # Errors
    /// When it cannot be true. Nothing of it was taken then.
    pub(crate) fn hear(&self, sheet: Sheet, now_ms: i64) -> Result<(), Unusable> {
        let heard = sheet.into_ticks(now_ms.div_euclid(1_000))?;
        if heard.len() > 1 {
            self.settle();
        }
        self.take(&mut self.lock(), heard);
        Ok(())
    }

    /// Remembers ticks in the order of their seconds; what was known stays as it is. Watchers are told under the lock,
    /// of what is newer than everything before.
    fn take(&self, ticks: &mut BTreeMap<i64, Arc<Tick>>, made: Vec<Tick>) {
        let last = ticks.last_key_value().map_or(i64::MIN, |(second, _)| *second);
        let mut newer = Vec::new();
        for tick in made {
            let tick = Arc::new(tick);
            ticks.entry(tick.second).or_insert_with(|| tick.clone());
            if tick.second > last {
                newer.push(tick);
            }
        }
        let newest = ticks.last_key_value().map_or(i64::MIN, |(second, _)| *second);
        *ticks = ticks.split_off(&newest.saturating_sub(HISTORY_SECONDS - 1));
        if !newer.is_empty() {
            // An error says that nobody watches.
            let _ = self.news.send(newer.into());
        }
    }

    /// What this instance knows, for one that asks; `None` before the market has opened, and for some time after the
    /// last answer, which was heard by everybody.
    pub(crate) fn answer(&self) -> Option<Sheet> {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.is_some_and(|at| at.elapsed() < ANSWER_EVERY) {
            return None;
        }
        let past = self.past()?;
        *answered = Some(Instant::now());
        Some(past)
    }

    fn past(&self) -> Option<Sheet> {
        let ticks = self.lock();
        let board = ticks.last_key_value()?.1.board.clone();
        // Stocks that came or went cut the past short.
        let same = ticks.values().rev().take_while(|tick| tick.board == board);
        let mut past: Vec<Tick> = same.map(|tick| Tick::clone(tick)).collect();
        past.reverse();
        Some(Sheet::of(&past))
    }

    /// Seconds may have been missed: the others must be asked.
    pub(crate) fn doubt(&self) {
        self.doubt.store(true, Ordering::Relaxed);
    }

    /// Everything the others know was asked for.
    pub(crate) fn settle(&self) {
        self.doubt.store(false, Ordering::Relaxed);
    }

    /// Whether the others must be asked. A market that just began does not know what it missed.
    pub(crate) fn has_doubt(&self) -> bool {
        self.doubt.load(Ordering::Relaxed)
    }

    /// Whether any price is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.lock().is_empty()
    }

    /// The newest prices; `None` before the market has opened.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Tick>> {
        self.lock().last_key_value().map(|(_, tick)| tick.clone())
    }

    /// What a stock costs at this moment; `None` when it is not traded.
    #[must_use]
    pub fn quote(&self, symbol: &str) -> Option<Quote> {
        let latest = self.latest()?;
        latest.quotes().find(|quote| quote.symbol == symbol)
    }

    /// Everything remembered from the second `from` on (Unix seconds), and then whatever comes.
    #[must_use]
    pub fn watch(&self, from: i64) -> Watch {
        // Under the lock: no tick falls between what is remembered and what comes.
        let ticks = self.lock();
        let past = ticks.range((Bound::Included(from), Bound::Unbounded)).map(|(_, tick)| tick.clone()).collect();
        Watch { past, news: self.news.subscribe(), closed: self.closed.clone() }
    }

    /// Ends every [`Watch`]: the instance goes.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// Nothing under this lock can leave it half changed, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Arc<Tick>>> {
        self.ticks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who watches the market.
pub struct Watch {
    /// What was remembered when the watch began, the oldest first; taken by whoever tells it.
    pub past: Vec<Arc<Tick>>,
    news: broadcast::Receiver<Ticks>,
    closed: CancellationToken,
}

impl Watch {
    /// What comes next; `None` when this watcher was too slow or the instance goes. Safe to cancel.
    pub async fn next(&mut self) -> Option<Ticks> {
        tokio::select! {
            // Both safe to cancel: a tick stays until it is taken, and closed is closed.
            biased;
            () = self.closed.cancelled() => None,
            // An error says that ticks were dropped: this watcher did not keep up.
            heard = self.news.recv() => heard.ok(),
        }
    }
}
