//! What several surfaces share: the browser's few facts, dates, names as pictures, words for refusals.

pub mod at_once;
pub mod avatar;
pub mod browser;
pub mod calendar;
pub mod clock;
pub mod links;
pub mod mark;
pub mod refused;
pub mod title;

pub use at_once::AtOnce;
pub use avatar::Avatar;
pub use clock::Clock;
pub use mark::{Icon, Table, Wordmark};
pub use refused::Refused;
pub use title::PageTitle;
