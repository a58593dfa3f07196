//! The contract in prose says what the code says.
