//! One control on one cloud: what to look at, what is said of it, and how it is put right.
//!
//! Each provider has one file per control, and one table that names them all. The control's type implements two traits: [`Control`]
//! acts, and what is said is pure: [`Compare`] where each setting is judged by itself, [`Judge`] where several are judged together.
//! [`AnyControl`] is what the provider's table holds, and [`crate::offer`] asks the whole table.

use std::error::Error;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired};
use landfall_model::id::Provider;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;

use crate::cloud::{Made, Sighting};
use crate::offer::Offer;

/// The API permissions a control needs, as its cloud names them. Roles are generated from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// To look.
    pub read: &'static [&'static str],
    /// To write.
    pub write: &'static [&'static str],
}

/// One cloud: what all its controls act with, and the table of them.
pub trait Platform: Sized + 'static {
    /// Whose platform it is.
    const PROVIDER: Provider;
    /// Who looks.
    type Reader: Send + Sync;
    /// Who writes.
    type Writer: Send + Sync;
    /// What goes wrong with a call; says whether it means that we could not look, or that there is no such thing.
    type Error: Error + Into<Seen> + Send;

    /// The table: what the cloud offers for a control.
    fn offer(kind: ControlKind) -> Offer<Self>;
}

/// One control on one cloud: where it looks, how, and how it writes.
#[async_trait]
pub trait Control: Send + Sync {
    /// Which control.
    const KIND: ControlKind;
    /// What it may call.
    const PERMISSIONS: Permissions;

    /// On which cloud.
    type On: Platform;
    /// The control's settings, from its catalog file.
    type Want: DeserializeOwned + Send + Sync;

    /// What has to be looked at. Pure.
    fn addresses(&self, want: &Self::Want, desired: &Desired) -> Vec<Address>;

    /// Looks at one setting.
    async fn look(
        &self,
        reader: &<Self::On as Platform>::Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, <Self::On as Platform>::Error>;

    /// Makes one of the changes that the judgements named; answers what came to be, such as an id. A change says all that a write
    /// needs.
    async fn write(
        &self,
        writer: &<Self::On as Platform>::Writer,
        change: &Change,
        made: &Made,
    ) -> Result<Value, <Self::On as Platform>::Error>;
}

/// What a control says, where each setting it looks at is judged by itself. Pure.
pub trait Compare: Control {
    /// What a look at one of its settings kept.
    type There: DeserializeOwned;

    /// Says whether a setting holds, and which changes would put it right. What was there before is added to them.
    fn compare(
        &self,
        want: &Self::Want,
        desired: &Desired,
        address: &Address,
        there: Option<Self::There>,
    ) -> Verdict;

    /// What is said of the control as a whole where the manifest asks nothing of the target; nothing, where it does.
    fn unasked(&self, _: &Self::Want) -> Option<Judgement> {
        None
    }
}

/// What a control says of all its settings. Pure.
pub trait Judge: Control {
    /// Says what holds, and which changes would put right what does not. What it does not find in `observed` it does not know.
    fn judge(&self, want: &Self::Want, desired: &Desired, observed: &Observed) -> Vec<Judgement>;
}

impl<C: Compare> Judge for C {
    fn judge(&self, want: &C::Want, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        if let Some(judgement) = self.unasked(want) {
            return vec![judgement];
        }
        let judge = |address: &Address| {
            Judgement::of(C::KIND, address, observed, |there| match kept(there) {
                Ok(seen) => with_before(self.compare(want, desired, address, seen), there),
                Err(unknown) => unknown,
            })
        };
        self.addresses(want, desired).iter().map(judge).collect()
    }
}

/// The verdict, whose changes say what was there unless they do so themselves.
fn with_before(mut verdict: Verdict, there: Option<&Value>) -> Verdict {
    if let Verdict::Fails { changes, .. } | Verdict::Due { changes, .. } = &mut verdict {
        for change in changes {
            change.before = change.before.take().or_else(|| there.cloned());
        }
    }
    verdict
}

/// What was kept of a look, as the control's own type again; what can't be read is unknown.
pub fn kept<T: DeserializeOwned>(there: Option<&Value>) -> Result<Option<T>, Verdict> {
    match there {
        None => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| Verdict::Unknown { why: format!("what was seen can't be read: {error}") }),
    }
}

/// A control's own type as the value that plans and evidence carry.
pub fn json(value: &impl Serialize) -> Value {
    // INVARIANT: the controls' types are plain structs with text keys, which always have a JSON form.
    serde_json::to_value(value).unwrap_or_default()
}

/// What is not set, shown as nothing or as null.
pub fn or_default<'de, D, T>(value: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// It does not hold, and nothing here may or can put it right; why, for people.
pub fn reported(why: impl Into<String>) -> Verdict {
    Verdict::Fails { why: why.into(), changes: Vec::new() }
}

/// The manifest asks nothing of the target: one line for the whole control.
pub fn unasked(kind: ControlKind, resource: &str, why: &str) -> Judgement {
    let verdict = Verdict::NotApplicable { why: why.to_owned() };
    Judgement { control: kind, address: Address::global(kind, resource), verdict }
}

/// A control whose settings type is hidden, so that one table can hold them all.
#[async_trait]
pub trait AnyControl<On: Platform>: Send + Sync {
    /// What it may call.
    fn permissions(&self) -> Permissions;
    /// What has to be looked at.
    fn addresses(&self, asked: &Asked, desired: &Desired) -> Vec<Address>;
    /// Looks at one setting; not being able to look is an answer.
    async fn look(&self, reader: &On::Reader, desired: &Desired, address: &Address) -> Sighting;
    /// Says what holds.
    fn judge(&self, asked: &Asked, desired: &Desired, observed: &Observed) -> Vec<Judgement>;
    /// Makes a change; the error is the whole chain of reasons, for people.
    async fn write(&self, writer: &On::Writer, change: &Change, made: &Made) -> Result<Value, String>;
}

#[async_trait]
impl<On, C> AnyControl<On> for C
where
    On: Platform,
    C: Judge<On = On>,
{
    fn permissions(&self) -> Permissions {
        C::PERMISSIONS
    }

    fn addresses(&self, asked: &Asked, desired: &Desired) -> Vec<Address> {
        asked.want().map(|want| Control::addresses(self, &want, desired)).unwrap_or_default()
    }

    async fn look(&self, reader: &On::Reader, desired: &Desired, address: &Address) -> Sighting {
        match Control::look(self, reader, desired, address).await {
            Ok(sighting) => sighting,
            Err(error) => Sighting { seen: error.into(), request: None },
        }
    }

    fn judge(&self, asked: &Asked, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let verdict = match (asked.want(), &asked.settings) {
            (Ok(want), _) => return Judge::judge(self, &want, desired, observed),
            // The manifest says why it asks nothing here; settings that are there and can't be read are another matter.
            (Err(_), Err(why)) => Verdict::NotApplicable { why: why.clone() },
            (Err(why), Ok(_)) => Verdict::Unknown { why },
        };
        vec![Judgement {
            control: asked.control,
            address: Address::global(asked.control, "settings"),
            verdict,
        }]
    }

    async fn write(&self, writer: &On::Writer, change: &Change, made: &Made) -> Result<Value, String> {
        Control::write(self, writer, change, made).await.map_err(|error| chain(&error))
    }
}

/// An error with all its causes in one line, for people.
pub fn chain(error: &(dyn Error + '_)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
