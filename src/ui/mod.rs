//! The views: one folder per surface, and `kit` for what several share.

pub mod apart;
pub mod cluster;
pub mod composer;
pub mod connection;
pub mod entrance;
pub mod kit;
pub mod members;
pub mod room;
pub mod sidebar;
pub mod stocks;
pub mod timeline;
