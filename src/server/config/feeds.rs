//! The rows of the table that are about feeds; in the file they are the table `[feeds]`.

use super::table::{Fallback, Id, Kind, ROW, Setting};

/// The heading in `--help`.
const FEEDS: &str = "Feeds";

/// Whether there is a market.
pub(super) const STOCKS: Setting = Setting {
    id: Id::Stocks,
    name: "stocks",
    key: "feeds.stocks",
    section: FEEDS,
    placeholder: "WORD",
    kind: Kind::Choice(&["on", "off"]),
    default: Fallback::Value("on"),
    help: "Whether there is a simulated stock market, with the page /stocks and the stream /feeds/stocks",
    ..ROW
};

/// What else is traded there.
pub(super) const STOCK_SYMBOLS: Setting = Setting {
    id: Id::StockSymbols,
    name: "stock_symbols",
    key: "feeds.symbols",
    section: FEEDS,
    placeholder: "NAME,…",
    kind: Kind::List("up to 54 names of 1 to 8 letters, digits or dots, such as ACME,BRK.B, separated by commas"),
    default: Fallback::Words("none besides the ten that are always there"),
    help: "More stocks for the market; give all instances the same",
    ..ROW
};

/// What its prices are rolled from.
pub(super) const STOCK_SEED: Setting = Setting {
    id: Id::StockSeed,
    name: "stock_seed",
    key: "feeds.seed",
    section: FEEDS,
    placeholder: "N",
    kind: Kind::Number { min: 0, max: 4_294_967_295 },
    default: Fallback::Value("1"),
    help: "What the prices are rolled from: the same number in the same second rolls the same",
    ..ROW
};
