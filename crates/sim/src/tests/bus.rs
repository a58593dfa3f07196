//! In still weather the simulated bus keeps the promise of every bus, word for word.

use tertulia_chat::bus::conformance::{self, Medium};
use tertulia_chat::bus::embedded::EmbeddedHub;

use crate::SimBus;

async fn medium(ends: usize) -> Medium {
    let hub = EmbeddedHub::new();
    Medium { ends: (0..ends).map(|_| SimBus::still(&hub)).collect(), keep: Box::new(()) }
}

/// One test per promise.
macro_rules! conforms {
    ($($promise:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                conformance::$promise(medium).await;
            }
        )+
    };
}

conforms! {
    news_reach_every_subscriber_and_the_publisher_byte_for_byte,
    news_do_not_reach_who_is_not_subscribed,
    rooms_are_isolated_whatever_their_numbers_look_like,
    each_publishers_order_is_kept,
    everyone_hears_everyone_without_subscribing,
    subscribing_twice_delivers_once,
    unsubscribing_stops_and_is_idempotent,
    a_room_can_be_left_and_entered_at_any_pace,
    whoever_does_not_listen_loses_knowingly_and_stalls_nobody,
    an_oversized_payload_is_refused_and_the_largest_arrives,
    exactly_one_holds_an_office,
    an_office_passes_on_when_its_holder_goes,
    offices_do_not_depend_on_each_other,
    a_closed_bus_is_down_and_holds_nothing,
    news_reach_who_listens_and_who_speaks,
}
