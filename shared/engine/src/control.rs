//! One control on one cloud: what to look at, what is said of it, and how it is put right.
//!
//! Each provider has one file per control with one type that implements [`Control`], and one table that names them all. The typed
//! trait is what control authors see; [`AnyControl`] is what the provider's table holds.

use std::error::Error;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;

use crate::cloud::{Made, Sighting};

/// The API permissions a control needs, as its cloud names them. Roles are generated from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// To look.
    pub read: &'static [&'static str],
    /// To write.
    pub write: &'static [&'static str],
}

/// One control on one cloud.
#[async_trait]
pub trait Control: Send + Sync {
    /// The control's settings, from its catalog file.
    type Want: DeserializeOwned + Send + Sync;
    /// Who looks.
    type Reader: Send + Sync;
    /// Who writes.
    type Writer: Send + Sync;
    /// What goes wrong with a call; says whether it means that we could not look, or that there is no such thing.
    type Error: Error + Into<Seen> + Send;

    /// Which control.
    fn kind(&self) -> ControlKind;

    /// What it may call.
    fn permissions(&self) -> Permissions;

    /// What has to be looked at. Pure.
    fn addresses(&self, want: &Self::Want, desired: &Desired) -> Vec<Address>;

    /// Looks at one setting.
    async fn look(
        &self,
        reader: &Self::Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, Self::Error>;

    /// Says what holds, and which changes would put right what does not. Pure: what it does not find in `observed` it does not
    /// know.
    fn judge(&self, want: &Self::Want, desired: &Desired, observed: &Observed) -> Vec<Judgement>;

    /// Makes one of the changes that `judge` named; answers what came to be, such as an id.
    async fn write(
        &self,
        writer: &Self::Writer,
        desired: &Desired,
        change: &Change,
        made: &Made,
    ) -> Result<Value, Self::Error>;
}

/// A control whose settings type is hidden, so that one table can hold them all.
#[async_trait]
pub trait AnyControl<R, W>: Send + Sync {
    /// Which control.
    fn kind(&self) -> ControlKind;
    /// What it may call.
    fn permissions(&self) -> Permissions;
    /// What has to be looked at.
    fn addresses(&self, asked: &Asked, desired: &Desired) -> Vec<Address>;
    /// Looks at one setting; not being able to look is an answer.
    async fn look(&self, reader: &R, desired: &Desired, address: &Address) -> Sighting;
    /// Says what holds.
    fn judge(&self, asked: &Asked, desired: &Desired, observed: &Observed) -> Vec<Judgement>;
    /// Makes a change; the error is the whole chain of reasons, for people.
    async fn write(
        &self,
        writer: &W,
        desired: &Desired,
        change: &Change,
        made: &Made,
    ) -> Result<Value, String>;
}

#[async_trait]
impl<C> AnyControl<C::Reader, C::Writer> for C
where
    C: Control,
{
    fn kind(&self) -> ControlKind {
        Control::kind(self)
    }

    fn permissions(&self) -> Permissions {
        Control::permissions(self)
    }

    fn addresses(&self, asked: &Asked, desired: &Desired) -> Vec<Address> {
        asked.want().map(|want| Control::addresses(self, &want, desired)).unwrap_or_default()
    }

    async fn look(&self, reader: &C::Reader, desired: &Desired, address: &Address) -> Sighting {
        match Control::look(self, reader, desired, address).await {
            Ok(sighting) => sighting,
            Err(error) => Sighting { seen: error.into(), request: None },
        }
    }

    fn judge(&self, asked: &Asked, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        match asked.want() {
            Ok(want) => Control::judge(self, &want, desired, observed),
            Err(why) => {
                let address = Address::global(asked.control, "settings");
                vec![Judgement { control: asked.control, address, verdict: Verdict::NotApplicable { why } }]
            }
        }
    }

    async fn write(
        &self,
        writer: &C::Writer,
        desired: &Desired,
        change: &Change,
        made: &Made,
    ) -> Result<Value, String> {
        Control::write(self, writer, desired, change, made).await.map_err(|error| chain(&error))
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
