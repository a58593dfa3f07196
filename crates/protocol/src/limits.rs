//! Every bound of the protocol in one place, each with its unit and the reason for its value.
//!
//! "Own" numbers may change together with their tests; the others name where they come from.

/// Longest message, in Unicode scalar values. Zulip's default; Discord and Slack are below.
pub const BODY_CHARS: usize = 10_000;
/// Longest message in bytes: four bytes is the most UTF-8 needs for one scalar value.
pub const BODY_BYTES: usize = BODY_CHARS * 4;
/// Longest name of a room, in scalar values: fits one line of the sidebar twice over (own).
pub const ROOM_NAME_CHARS: usize = 64;
/// Longest name of a person, in scalar values (own).
pub const PERSON_NAME_CHARS: usize = 48;
/// Longest topic of a room, in scalar values (own).
pub const TOPIC_CHARS: usize = 250;
/// Longest emoji of a reaction, in bytes: a family with skin tones needs 41 (own).
pub const EMOJI_BYTES: usize = 64;

/// Longest name a client may give its program in `hello`, in scalar values; the rest is dropped (own).
pub const CLIENT_CHARS: usize = 64;
/// Largest number that may travel: 2^53 - 1, above which a JavaScript number skips integers.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Largest WebSocket message and frame, in bytes. OWASP's figure; the longest body fits with its envelope
/// as plain UTF-8 (40,000 bytes) and with every character of the basic plane escaped as `\uXXXX` (60,000).
pub const FRAME_BYTES: usize = 64 * 1024;
/// Frames in one request: what somebody does in one go. Each may ask for a page, and the answers wait together in
/// memory: 4 MiB at the very most (see [`PAGE_BYTES`]).
pub const FRAMES_PER_REQUEST: usize = 16;
/// Deepest nesting of a frame's JSON: the deepest legal frame (`hello` → `resume` → object) has 3.
pub const JSON_DEPTH: usize = 8;

/// Rooms one socket may follow. Centrifugo allows 128 channels; twice that for large sidebars.
pub const ROOMS_PER_SOCKET: usize = 256;
/// Entries in one frame when somebody catches up (Centrifugo recovers 300 at most in all).
pub const ENTRIES_PER_PAGE: usize = 500;
/// Bytes of stored content in one frame of history or of catching up, which 500 senders' names and numbers (330 each
/// at most) bring to 230 KiB: two such fit beside a half full queue, and one of 64 KiB passes a link of 10 KiB/s
/// within [`WRITE_MS`]. A single entry above it (the longest body has 60,000 escaped) would go alone.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Messages in the first HTML and in one page of history.
pub const HISTORY_PAGE: usize = 50;
/// Largest page of history one may ask for; more is clamped.
pub const HISTORY_PAGE_MAX: usize = 100;

/// Bytes that may wait for one socket: 1 MiB, as Centrifugo's `queue_max_size`.
pub const QUEUE_BYTES: usize = 1024 * 1024;
/// Events that may wait for one socket: about ten seconds of a very busy room (own).
pub const QUEUE_EVENTS: usize = 1_000;
/// Oldest event that may wait for one socket, in milliseconds: older means the peer is stuck.
pub const QUEUE_AGE_MS: u64 = 10_000;

/// The server's ping, in milliseconds: two, the second unanswered, fit into the 60 s after which NATs drop idle links.
/// With [`PONG_MS`] and the presence grace of 12 s, who died silently is said to have left after 43 s, and the
/// second that timekeepers may be late (45 are promised).
pub const PING_MS: u64 = 23_000;
/// How long a pong may take, in milliseconds (Centrifugo: 8 s).
pub const PONG_MS: u64 = 8_000;
/// How long a new socket may stay silent before `hello`, in milliseconds (Centrifugo: 10 s).
pub const HELLO_MS: u64 = 10_000;
/// How long a message may take from its first byte to its last, in milliseconds: the largest passes a link of 2 KiB/s.
pub const MESSAGE_MS: u64 = 30_000;
/// How long one write may take, in milliseconds: with a second each for filling the way and for a goodbye that nobody
/// reads, who stalls is let go of within 10 s.
pub const WRITE_MS: u64 = 7_000;
/// How often a socket checks its session without being told, in milliseconds: a revocation acts within 30 s (SR-09), the
/// look itself and a busy machine included.
pub const REVALIDATE_MS: u64 = 28_000;

/// Malformed frames within [`MALFORMED_WINDOW_MS`] that end a socket (own).
pub const MALFORMED_FRAMES: u32 = 5;
/// The window of [`MALFORMED_FRAMES`], in milliseconds.
pub const MALFORMED_WINDOW_MS: u64 = 10_000;
/// When whoever is closed for a broken rule may come back, in milliseconds: a client that breaks it each time knocks
/// about once a second, and not as fast as it can (own).
pub const MEND_MS: u64 = 1_000;

/// Sends that wait in one socket for the answer of those before: two of a user's bursts of 20.
pub const SENDS_IN_FLIGHT: usize = 40;

/// How long a sign of typing is shown, in milliseconds: twice the interval at which it is repeated, less slack.
pub const TYPING_SHOWN_MS: u64 = 5_000;
/// How often a client may say that it is typing in a room, in milliseconds (SR-25: one per 3 s).
pub const TYPING_EVERY_MS: u64 = 3_000;

/// People listed by name in a room's presence; above it only the count travels (join and leave are O(N²)).
pub const PRESENCE_NAMES: usize = 500;
/// Rooms listed in the sidebar (own; a search comes with accounts).
pub const ROOMS_LISTED: usize = 500;

/// Longest symbol of a stock, in bytes: `BRK.B` has 5, codes of derivatives up to 8 (own).
pub const SYMBOL_BYTES: usize = 8;
/// Stocks in one market: a page that can still be read, and five minutes of them fit into one piece of news.
pub const SYMBOLS: usize = 64;
/// Highest price, in cents: 1,000,000.00, beyond any share and far from overflowing anything.
pub const PRICE_CENTS: i64 = 100_000_000;
