//! Looks at what is desired: many settings at once, the answers in order.

use futures_util::stream::{self, StreamExt as _};

use landfall_model::desired::Desired;
use landfall_model::observed::{Address, Look, Observed};

use crate::cloud::Reader;
use crate::engine::Clock;

/// Looks under way at once, for one target. Enough to hide the way to the cloud; the governor keeps within its quotas.
pub const LOOKS: usize = 16;

/// Looks at each address. What `seen` holds already is taken from there.
pub async fn observe(
    reader: &dyn Reader,
    clock: &dyn Clock,
    desired: &Desired,
    addresses: Vec<Address>,
    seen: Option<&Observed>,
) -> Observed {
    let mut looks = Vec::new();
    for address in addresses {
        looks.push(async move {
            if let Some(look) = seen.and_then(|seen| seen.0.get(&address)) {
                return (address, look.clone());
            }
            let look = look(reader, clock, desired, &address).await;
            (address, look)
        });
    }
    // The map sorts by address, so the order of arrival shows nowhere.
    let looks: Vec<(Address, Look)> = stream::iter(looks).buffer_unordered(LOOKS).collect().await;
    Observed(looks.into_iter().collect())
}

/// Looks at one address.
pub async fn look(reader: &dyn Reader, clock: &dyn Clock, desired: &Desired, address: &Address) -> Look {
    let sighting = reader.look(desired, address).await;
    Look { seen: sighting.seen, at: clock.now(), request: sighting.request }
}
