//! Where things are kept, and the ways to the clouds for those who need one.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use landfall_aws::Aws;
use landfall_azure::Azure;
use landfall_engine::governor::Governor;
use landfall_engine::store::Store;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_gcp::Gcp;
use tokio::sync::OnceCell;

/// The ways to the clouds, each made when something first needs it: most questions at a desk need none.
#[derive(Debug, Default)]
pub(crate) struct Cloudy {
    aws: OnceCell<Aws>,
    azure: OnceCell<Azure>,
    gcp: OnceCell<Gcp>,
}

impl Cloudy {
    /// The way to AWS, from the SDK's own environment.
    pub(crate) async fn aws(&self) -> anyhow::Result<&Aws> {
        let make = || async {
            let aws = Aws::from_env(Arc::new(Governor::new(landfall_aws::rate))).await;
            aws.context("could not make a way to AWS")
        };
        self.aws.get_or_try_init(make).await
    }

    /// The way to Azure, from the SDK's own environment.
    pub(crate) async fn azure(&self) -> anyhow::Result<&Azure> {
        let make = || async {
            let azure = Azure::from_env(Arc::new(Governor::new(landfall_azure::rate)));
            azure.context("could not make a way to Azure")
        };
        self.azure.get_or_try_init(make).await
    }

    /// The way to Google Cloud, from its libraries' own environment.
    pub(crate) async fn gcp(&self) -> anyhow::Result<&Gcp> {
        let make = || async {
            let gcp = Gcp::from_env(Arc::new(Governor::new(landfall_gcp::rate)));
            gcp.context("could not make a way to Google Cloud")
        };
        self.gcp.get_or_try_init(make).await
    }
}

/// What a command does with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It reads what others wrote: a store that is not there is an error.
    Read,
    /// It looks at a cloud and reads what is known: a store that is not there knows nothing.
    Consult,
    /// It writes.
    Write,
}

/// Opens the store that `--store` names.
pub(crate) async fn store(address: &str, how: Use, cloudy: &Cloudy) -> anyhow::Result<Arc<dyn Store>> {
    let doing = || format!("could not open the store `{address}`");
    if address == "memory:" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    if address.starts_with("s3://") {
        let store = cloudy.aws().await.and_then(|aws| Ok(aws.store(address)?));
        return Ok(Arc::new(store.with_context(doing)?));
    }
    if address.starts_with("az://") {
        let store = cloudy.azure().await.and_then(|azure| Ok(azure.store(address)?));
        return Ok(Arc::new(store.with_context(doing)?));
    }
    if address.starts_with("gs://") {
        let store = cloudy.gcp().await?.store(address).await;
        return Ok(Arc::new(store.with_context(doing)?));
    }
    let Some(path) = address.strip_prefix("sqlite:").filter(|path| !path.is_empty()) else {
        bail!(
            "`{address}` is no store: expected `sqlite:landfall.db`, `s3://bucket/folder`, `az://account/container/folder` or `gs://bucket/folder`"
        );
    };
    match (how, Path::new(path).exists()) {
        (Use::Read, false) => {
            bail!(
                "there is no store at `{path}` yet: `landfall sweep` makes one, or name another with `--store`"
            )
        }
        (Use::Consult, false) => Ok(Arc::new(MemoryStore::new())),
        (Use::Write, _) | (_, true) => Ok(Arc::new(SqliteStore::open(path).await.with_context(doing)?)),
    }
}
