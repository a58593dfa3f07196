//! Every rule can fail: each is shown something bad and something good.
