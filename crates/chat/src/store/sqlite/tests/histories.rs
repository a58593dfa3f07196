//! Histories that proptest makes, and makes shorter when they fail, against the suite's model.

use proptest::collection::vec;
use proptest::prelude::*;

use super::File;
use crate::store::conformance::{Step, history_agrees_with_the_model};

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => any::<u8>().prop_map(|slug| Step::MakeRoom { slug }),
        6 => any::<(u8, u8, u8, u8)>()
            .prop_map(|(room, author, key, body)| Step::Append { room, author, key, body }),
        3 => any::<(u8, u8, u8, bool)>()
            .prop_map(|(room, from, limit, backwards)| Step::Page { room, from, limit, backwards }),
    ]
}

proptest! {
    // Each case is a database of its own with a real fsync per write: few, but long ones.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_agrees_with_the_model(steps in vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = File::new().store();
        runtime.block_on(history_agrees_with_the_model(&store, &steps));
    }
}
