//! Everything a command needs that looks at a cloud or writes to it: the bundle, the store, the organization.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use landfall_aws::{Aws, AwsOrganization};
use landfall_engine::engine::{Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::queue::memory::MemoryQueue;
use landfall_engine::store::Store;
use landfall_engine::trust::{Footing, for_looking, trust};
use landfall_function_aws::shell::footing;
use landfall_model::id::Name;
use landfall_model::manifest::{AwsCloud, Cloud, Limits, Manifest};
use landfall_model::target::Target;

use crate::arguments::Common;
use crate::command::verify::keys;
use crate::near::did_you_mean;
use crate::place::{self, Cloudy, Use};
use crate::source::{self, Given};

/// A run of this process may take this long: nobody stops it from outside as a cloud stops a function.
pub(crate) const RUN: SignedDuration = SignedDuration::from_mins(15);

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trusted: Trusted,
    pub(crate) cloud: Arc<AwsOrganization>,
    pub(crate) name: Name,
    aws: Aws,
    ground: AwsCloud,
}

impl Desk {
    /// To look with: a working copy that nobody signed is enough, because nothing here can write.
    pub(crate) async fn to_look(common: &Common) -> anyhow::Result<Self> {
        let cloudy = Cloudy::default();
        let Given { bundle, statement: _ } = source::given(common.manifest(), &cloudy).await?;
        let store = place::store(&common.store, Use::Consult, &cloudy).await?;
        Desk::new(store, for_looking(bundle), common, &cloudy).await
    }

    /// To write with: real clouds need a bundle that somebody vouches for.
    pub(crate) async fn to_write(common: &Common) -> anyhow::Result<Self> {
        let cloudy = Cloudy::default();
        let Given { bundle, statement } = source::given(common.manifest(), &cloudy).await?;
        let footing = footing(cloudy.aws().await?);
        if footing == Footing::Real && statement.is_none() {
            bail!(
                "what writes to a real cloud follows a signed bundle, and `{}` is not signed: `landfall build`, \
                 `landfall sign`, then `--manifest bundle.json`",
                common.manifest()
            );
        }
        // What can be known to be wrong is said before anything is made.
        ground(bundle.manifest(), common.cloud.as_ref())?;
        let keys = keys(common)?;
        let store = place::store(&common.store, Use::Write, &cloudy).await?;
        let trusted = trust(&*store, bundle, statement.as_ref(), keys.as_ref(), footing, Timestamp::now())
            .await
            .with_context(|| format!("could not trust the bundle `{}`", common.manifest()))?;
        Desk::new(store, trusted, common, &cloudy).await
    }

    async fn new(
        store: Arc<dyn Store>,
        trusted: Trusted,
        common: &Common,
        cloudy: &Cloudy,
    ) -> anyhow::Result<Self> {
        let (name, ground) = ground(trusted.bundle.manifest(), common.cloud.as_ref())?;
        let aws = cloudy.aws().await?.clone();
        let cloud = Arc::new(AwsOrganization::new(aws.clone(), name.clone(), ground.clone()));
        Ok(Desk { store, trusted, cloud, name, aws, ground })
    }

    /// The manifest that is followed.
    pub(crate) fn manifest(&self) -> &Manifest {
        self.trusted.bundle.manifest()
    }

    /// The organization as a target.
    pub(crate) fn organization(&self) -> Target {
        Target::Organization(self.name.clone())
    }

    /// An engine whose queue is in this process.
    pub(crate) fn engine(&self, limits: Option<Limits>) -> Engine {
        Engine {
            store: Arc::clone(&self.store),
            queue: Arc::new(MemoryQueue::with_rules(RUN.unsigned_abs(), 3)),
            cloud: Arc::clone(&self.cloud) as Arc<dyn landfall_engine::cloud::Cloud>,
            hands: Arc::clone(&self.cloud) as Arc<dyn landfall_engine::cloud::Hands>,
            trusted: self.trusted.clone(),
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits,
        }
    }

    /// The engine with an organization of which nothing is remembered yet. What was read right after a write may be old, and a look
    /// again that rests on it would see nothing new; a function forgets it as well, every half minute.
    pub(crate) fn afresh(&self, engine: &Engine) -> Engine {
        let cloud = AwsOrganization::new(self.aws.clone(), self.name.clone(), self.ground.clone());
        let cloud = Arc::new(cloud);
        Engine {
            cloud: Arc::clone(&cloud) as Arc<dyn landfall_engine::cloud::Cloud>,
            hands: cloud as Arc<dyn landfall_engine::cloud::Hands>,
            ..engine.clone()
        }
    }
}

/// When a run that begins now has to stop.
pub(crate) fn deadline() -> Deadline {
    Deadline(Timestamp::now() + RUN)
}

/// The cloud of the manifest that a command is about.
pub(crate) fn ground(manifest: &Manifest, wanted: Option<&Name>) -> anyhow::Result<(Name, AwsCloud)> {
    if let Some(wanted) = wanted {
        let names = manifest.clouds.keys().map(Name::as_str);
        return match manifest.clouds.get(wanted) {
            Some(Cloud::Aws(ground)) => Ok((wanted.clone(), ground.clone())),
            Some(Cloud::Azure(_) | Cloud::Gcp(_)) => {
                bail!("the cloud `{wanted}` is none of AWS, and this version works on AWS alone")
            }
            None => {
                bail!("the manifest has no cloud `{wanted}`{}", did_you_mean(wanted.as_str(), names))
            }
        };
    }
    let mut found = manifest.clouds.iter().filter_map(|(name, cloud)| match cloud {
        Cloud::Aws(ground) => Some((name, ground)),
        Cloud::Azure(_) | Cloud::Gcp(_) => None,
    });
    match (found.next(), found.next()) {
        (Some((name, ground)), None) => Ok((name.clone(), ground.clone())),
        (Some((one, _)), Some((other, _))) => {
            bail!("the manifest has several AWS clouds: say `--cloud {one}` or `--cloud {other}`")
        }
        (None, _) => bail!("the manifest has no AWS cloud, and this version works on AWS alone"),
    }
}
