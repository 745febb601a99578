//! What a cloud offers for each control of the catalog, and the engine's questions put to its whole table.
//!
//! A provider fills in one table, [`Platform::offer`]. What is looked at, what is said and who acts follow from it, so they are said
//! here once and every cloud means the same by them.

use async_trait::async_trait;
use serde_json::Value;

use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;

use crate::cloud::{Made, Reader, Sighting, Writer};
use crate::control::{AnyControl, Permissions, Platform};

/// What a cloud offers for a control.
#[expect(missing_debug_implementations, reason = "a control is code, and has nothing to show")]
pub enum Offer<On: Platform> {
    /// It is held, and this is how.
    Control(&'static dyn AnyControl<On>),
    /// The cloud has no such thing; why, for people. Never "not yet".
    NotOffered(&'static str),
}

/// The API permissions of a control, as the cloud names them.
pub fn permissions<On: Platform>(kind: ControlKind) -> Option<Permissions> {
    match On::offer(kind) {
        Offer::Control(control) => Some(control.permissions()),
        Offer::NotOffered(_) => None,
    }
}

/// What has to be looked at to judge what is desired. Two controls may look at one setting; it is looked at once.
pub fn addresses<On: Platform>(desired: &Desired) -> Vec<Address> {
    let mut addresses: Vec<Address> = desired
        .asked
        .iter()
        .flat_map(|asked| match On::offer(asked.control) {
            Offer::Control(control) => control.addresses(asked, desired),
            Offer::NotOffered(_) => Vec::new(),
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Judges every setting by what was seen.
pub fn judge<On: Platform>(desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    desired
        .asked
        .iter()
        .flat_map(|asked| match On::offer(asked.control) {
            Offer::Control(control) => control.judge(asked, desired, observed),
            Offer::NotOffered(why) => vec![Judgement {
                control: asked.control,
                address: Address::global(asked.control, On::PROVIDER.as_str()),
                verdict: Verdict::NotApplicable { why: why.to_owned() },
            }],
        })
        .collect()
}

/// Someone who looks at whatever the table offers, by what the provider looks with.
pub fn reader<On: Platform>(eyes: On::Reader) -> Box<dyn Reader> {
    Box::new(Eyes::<On>(eyes))
}

/// Someone who writes whatever the table offers, by what the provider writes with.
pub fn writer<On: Platform>(hand: On::Writer) -> Box<dyn Writer> {
    Box::new(Hand::<On>(hand))
}

struct Eyes<On: Platform>(On::Reader);

#[async_trait]
impl<On: Platform> Reader for Eyes<On> {
    async fn look(&self, desired: &Desired, address: &Address) -> Sighting {
        match On::offer(address.control) {
            Offer::Control(control) => control.look(&self.0, desired, address).await,
            Offer::NotOffered(why) => Sighting { seen: Seen::NotOffered(why.to_owned()), request: None },
        }
    }
}

struct Hand<On: Platform>(On::Writer);

#[async_trait]
impl<On: Platform> Writer for Hand<On> {
    async fn write(&self, change: &Change, made: &Made) -> Result<Value, String> {
        match On::offer(change.address.control) {
            Offer::Control(control) => control.write(&self.0, change, made).await,
            Offer::NotOffered(why) => Err(why.to_owned()),
        }
    }
}
