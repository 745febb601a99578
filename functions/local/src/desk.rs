//! Everything a command needs that looks at clouds or writes to them: the bundle, the store, and each organization.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use landfall_aws::{Aws, AwsOrganization};
use landfall_azure::{Azure, AzureOrganization};
use landfall_engine::cloud::{Cloud, Hands};
use landfall_engine::engine::{Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::queue::Outbox;
use landfall_engine::queue::memory::MemoryQueue;
use landfall_engine::store::Store;
use landfall_engine::trust::{Footing, for_looking, trust};
use landfall_engine::warm::Home as _;
use landfall_gcp::{Gcp, GcpOrganization};
use landfall_model::id::Name;
use landfall_model::manifest::{self, AwsCloud, AzureCloud, GcpCloud, Limits, Manifest};
use landfall_model::target::Target;

use crate::arguments::Common;
use crate::command::verify::keys;
use crate::near::did_you_mean;
use crate::place::{self, Cloudy, Use};
use crate::source::{self, Given};

/// A run of this process may take this long: nobody stops it from outside as a cloud stops a function.
pub(crate) const RUN: SignedDuration = SignedDuration::from_mins(15);

/// What a command works with in one cloud.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trusted: Trusted,
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) name: Name,
    hands: Arc<dyn Hands>,
    way: Way,
}

/// The way to one cloud organization.
#[derive(Debug, Clone)]
enum Way {
    Aws(Aws, AwsCloud),
    Azure(Azure, AzureCloud),
    Gcp(Gcp, GcpCloud),
}

impl Way {
    async fn to(ground: &manifest::Cloud, cloudy: &Cloudy) -> anyhow::Result<Self> {
        Ok(match ground {
            manifest::Cloud::Aws(ground) => Way::Aws(cloudy.aws().await?.clone(), ground.clone()),
            manifest::Cloud::Azure(ground) => Way::Azure(cloudy.azure().await?.clone(), ground.clone()),
            manifest::Cloud::Gcp(ground) => Way::Gcp(cloudy.gcp().await?.clone(), ground.clone()),
        })
    }

    /// The organization, of which nothing is remembered yet.
    fn organization(&self, name: &Name) -> anyhow::Result<(Arc<dyn Cloud>, Arc<dyn Hands>)> {
        Ok(match self {
            Way::Aws(aws, ground) => {
                let cloud = Arc::new(AwsOrganization::new(aws.clone(), name.clone(), ground.clone()));
                (Arc::clone(&cloud) as Arc<dyn Cloud>, cloud)
            }
            Way::Azure(azure, ground) => {
                let cloud = Arc::new(AzureOrganization::new(azure, name.clone(), ground.clone())?);
                (Arc::clone(&cloud) as Arc<dyn Cloud>, cloud)
            }
            Way::Gcp(gcp, ground) => {
                let cloud = Arc::new(GcpOrganization::new(gcp, name.clone(), ground.clone())?);
                (Arc::clone(&cloud) as Arc<dyn Cloud>, cloud)
            }
        })
    }

    fn footing(&self) -> Footing {
        match self {
            Way::Aws(aws, _) => aws.footing(),
            Way::Azure(azure, _) => azure.footing(),
            Way::Gcp(gcp, _) => gcp.footing(),
        }
    }
}

impl Desk {
    /// To look with, in each cloud that is asked for: a working copy that nobody signed is enough, because nothing here can write.
    pub(crate) async fn to_look(common: &Common, typed: &[String]) -> anyhow::Result<Vec<Self>> {
        let cloudy = Cloudy::default();
        let Given { bundle, statement: _ } = source::given(common.manifest(), &cloudy).await?;
        let ways = ways(bundle.manifest(), common.cloud.as_ref(), typed, &cloudy).await?;
        let store = place::store(&common.store, Use::Consult, &cloudy).await?;
        Desk::all(&store, &for_looking(bundle), ways)
    }

    /// To write with, in each cloud that is asked for: real clouds need a bundle that somebody vouches for.
    pub(crate) async fn to_write(common: &Common, typed: &[String]) -> anyhow::Result<Vec<Self>> {
        let cloudy = Cloudy::default();
        let Given { bundle, statement } = source::given(common.manifest(), &cloudy).await?;
        // What can be known to be wrong is said before anything is made.
        let ways = ways(bundle.manifest(), common.cloud.as_ref(), typed, &cloudy).await?;
        let real = ways.iter().any(|(_, way)| way.footing() == Footing::Real);
        let footing = if real { Footing::Real } else { Footing::Loopback };
        if real && statement.is_none() {
            bail!(
                "what writes to a real cloud follows a signed bundle, and `{}` is not signed: `landfall build`, \
                 `landfall sign`, then `--manifest bundle.json`",
                common.manifest()
            );
        }
        let keys = keys(common)?;
        let store = place::store(&common.store, Use::Write, &cloudy).await?;
        let trusted = trust(&*store, bundle, statement.as_ref(), keys.as_ref(), footing, Timestamp::now())
            .await
            .with_context(|| format!("could not trust the bundle `{}`", common.manifest()))?;
        Desk::all(&store, &trusted, ways)
    }

    fn all(store: &Arc<dyn Store>, trusted: &Trusted, ways: Vec<(Name, Way)>) -> anyhow::Result<Vec<Self>> {
        let desk = |(name, way): (Name, Way)| {
            let (cloud, hands) = way.organization(&name)?;
            Ok(Desk { store: Arc::clone(store), trusted: trusted.clone(), cloud, hands, name, way })
        };
        ways.into_iter().map(desk).collect()
    }

    /// The manifest that is followed.
    pub(crate) fn manifest(&self) -> &Manifest {
        self.trusted.bundle.manifest()
    }

    /// The organization as a target.
    pub(crate) fn organization(&self) -> Target {
        Target::Organization(self.name.clone())
    }

    /// Whether a target is in this desk's cloud, as far as the manifest tells: one that it does not name may be in any cloud of its
    /// provider.
    pub(crate) fn may_hold(&self, target: &Target) -> bool {
        may_hold(self.manifest(), &self.name, target)
    }

    /// An engine whose queue is in this process, and the queue.
    pub(crate) fn engine(&self, limits: Option<Limits>) -> (Engine, Arc<MemoryQueue>) {
        let queue = Arc::new(MemoryQueue::with_rules(RUN.unsigned_abs(), 3));
        let engine = Engine {
            store: Arc::clone(&self.store),
            queue: Arc::clone(&queue) as Arc<dyn Outbox>,
            cloud: Arc::clone(&self.cloud),
            hands: Arc::clone(&self.hands),
            trusted: self.trusted.clone(),
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits,
        };
        (engine, queue)
    }

    /// The engine with an organization of which nothing is remembered yet. What was read right after a write may be old, and a look
    /// again that rests on it would see nothing new; a function forgets it as well, every half minute.
    pub(crate) fn afresh(&self, engine: &Engine) -> Engine {
        match self.way.organization(&self.name) {
            Ok((cloud, hands)) => Engine { cloud, hands, ..engine.clone() },
            // The same was made when this desk was; where it can't be any more, what is remembered is better than nothing.
            Err(_) => engine.clone(),
        }
    }
}

/// When a run that begins now has to stop.
pub(crate) fn deadline() -> Deadline {
    Deadline(Timestamp::now() + RUN)
}

/// The ways to the clouds that a command is about: the one that is named, those of the targets that were typed, or all.
async fn ways(
    manifest: &Manifest,
    wanted: Option<&Name>,
    typed: &[String],
    cloudy: &Cloudy,
) -> anyhow::Result<Vec<(Name, Way)>> {
    let names = clouds(manifest, wanted, typed)?;
    let mut ways = Vec::new();
    for name in names {
        let Some(ground) = manifest.clouds.get(&name) else { continue };
        let way = Way::to(ground, cloudy).await.with_context(|| format!("the cloud `{name}`"))?;
        ways.push((name, way));
    }
    if ways.is_empty() {
        bail!("the manifest has no cloud");
    }
    Ok(ways)
}

/// The clouds of the manifest that a command is about.
pub(crate) fn clouds(
    manifest: &Manifest,
    wanted: Option<&Name>,
    typed: &[String],
) -> anyhow::Result<BTreeSet<Name>> {
    if let Some(wanted) = wanted {
        if manifest.clouds.contains_key(wanted) {
            return Ok(BTreeSet::from([wanted.clone()]));
        }
        let near = did_you_mean(wanted.as_str(), manifest.clouds.keys().map(Name::as_str));
        bail!("the manifest has no cloud `{wanted}`{near}");
    }
    // What can't be read as a target is answered later, with everybody's names at hand.
    let targets: Vec<Target> = typed.iter().filter_map(|one| one.parse().ok()).collect();
    let asked = |name: &Name| targets.iter().any(|target| may_hold(manifest, name, target));
    let names: BTreeSet<Name> = manifest.clouds.keys().filter(|name| asked(name)).cloned().collect();
    Ok(if names.is_empty() { manifest.clouds.keys().cloned().collect() } else { names })
}

fn may_hold(manifest: &Manifest, name: &Name, target: &Target) -> bool {
    match target {
        Target::Organization(cloud) => cloud == name,
        Target::Tenant(tenant) => match manifest.tenant(tenant) {
            Some((_, _, named)) => &named.cloud == name,
            None => manifest.clouds.get(name).is_some_and(|cloud| cloud.provider() == tenant.provider()),
        },
    }
}
