//! The random walk. A step depends on the seed, the stock and the second alone, so that whoever takes the market over
//! with the same seed walks on as if nothing had happened. Whole numbers only: every machine finds the same prices.

use tertulia_protocol::limits::PRICE_CENTS;

use super::LISTED;

/// A millionth, the unit of the walk's noise.
const PPM: i64 = 1_000_000;
/// How strongly a price is drawn back to where it opened: a 512th of the way each second. With noise of 577 ppm per
/// second (below) prices stay within about 3 % of the opening, for ever.
const PULL: i64 = 512;
/// Lowest price that is made up for a stock of one's own, in cents.
const LOWEST_OPENING: u64 = 2_000;
/// How far above it such a price may lie, in cents.
const OPENING_RANGE: u64 = 46_000;

/// What a stock costs in this second, in cents, when it cost `price` before. At least 1, at most [`PRICE_CENTS`].
pub(super) fn step(seed: u64, symbol: &str, second: i64, open: i64, price: i64) -> i64 {
    let moved = price * noise(draw(seed, symbol, second.cast_unsigned())) + (open - price) * PPM / PULL;
    // Half of the unit away from zero, then cut: rounded, or cheap stocks would sink.
    let rounded = (moved + moved.signum() * PPM / 2) / PPM;
    (price + rounded).clamp(1, PRICE_CENTS)
}

/// What a stock opens at, in cents.
pub(super) fn opening_price(seed: u64, symbol: &str) -> i64 {
    let listed = LISTED.iter().find(|(name, _)| *name == symbol).map(|(_, price)| *price);
    let made_up = || LOWEST_OPENING + draw(seed, symbol, u64::MAX) % OPENING_RANGE;
    listed.unwrap_or_else(|| made_up().cast_signed())
}

/// Four dice of 1,000 sides, less their mean: from -1,998 to 1,998 ppm, and near 0 most often.
fn noise(bits: u64) -> i64 {
    let die = |at: u32| (i64::from((bits >> at) as u16) * 1_000) >> 16;
    die(0) + die(16) + die(32) + die(48) - 1_998
}

/// 64 bits for a stock and a moment: FNV-1a gathers them, the finalizer of `SplitMix64` stirs.
fn draw(seed: u64, symbol: &str, moment: u64) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(moment.to_le_bytes()).chain(symbol.bytes());
    let gathered =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let stirred = (gathered ^ (gathered >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    stirred ^ (stirred >> 31)
}
