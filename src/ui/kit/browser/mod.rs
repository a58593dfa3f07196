//! What only a browser knows, behind one face. Two twins: `web` asks the browser, `none` (on the
//! server) knows nothing, so no caller branches on where it was compiled.

#[cfg(not(feature = "hydrate"))]
mod none;
#[cfg(feature = "hydrate")]
mod web;

#[cfg(not(feature = "hydrate"))]
pub use none::*;
#[cfg(feature = "hydrate")]
pub use web::*;
