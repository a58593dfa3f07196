//! What several surfaces share: the browser's few facts, dates, names as pictures, words for refusals.

pub mod avatar;
pub mod boxed;
pub mod browser;
pub mod calendar;
pub mod clock;
pub mod links;
pub mod lively;
pub mod mark;
pub mod refused;
pub mod stream;
pub mod title;

pub use avatar::Avatar;
pub use boxed::Boxed;
pub use clock::Clock;
pub use lively::{flag, part, text};
pub use mark::{Icon, Table, Wordmark};
pub use refused::{Refused, TYPED};
pub use title::{PageTitle, escaped};
