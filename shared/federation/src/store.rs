//! The other cloud's storage, opened with the right that was exchanged.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use landfall_engine::config::{Config, Forms};
use landfall_engine::store::object::{Listing, ObjectRecords};
use landfall_engine::store::{BoxError, Store, fetch};
use landfall_engine::trust::Footing;
use landfall_engine::warm::{Home, Reach};
use object_store::ClientOptions;
use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use url::Url;

use crate::Identity;
use crate::exchange::{ToAws, ToAzure, ToGcp, Way};
use crate::right::Rights;
use crate::settings::{Settings, Whom, Wrong};

/// The way to a store on another cloud.
#[derive(Debug)]
pub struct Federation<C> {
    settings: Settings,
    rights: Held,
    connector: C,
}

/// One right for whatever is opened there.
#[derive(Debug)]
enum Held {
    Aws(Arc<Rights<ToAws>>),
    Gcp(Arc<Rights<ToGcp>>),
    Azure(Arc<Rights<ToAzure>>),
}

/// What is wrong with an address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not `s3://bucket/folder`, `gs://bucket/folder` or `az://account/container/folder`")]
struct Unfit(String);

/// The bucket, or the account, and the path below it.
fn place(address: &str) -> Result<(String, String), Unfit> {
    let unfit = || Unfit(address.to_owned());
    let url = Url::parse(address).map_err(|_| unfit())?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none();
    let bucket = url.host_str().filter(|_| plain).ok_or_else(unfit)?.to_owned();
    Ok((bucket, url.path().trim_matches('/').to_owned()))
}

impl<C: HttpConnector + Clone> Federation<C> {
    /// Nothing is asked of the network before the first request. `connector` is the function's own way over HTTP.
    pub fn new(
        settings: Settings,
        identity: Arc<dyn Identity>,
        connector: C,
    ) -> Result<Self, object_store::Error> {
        let service = match &settings.whom {
            Whom::Aws { suffix, .. } => format!("https://sts.{}.{suffix}/", settings.region),
            Whom::Gcp { .. } => "https://sts.googleapis.com/v1/token".to_owned(),
            Whom::Azure { cloud, directory, .. } => {
                format!("https://{}/{directory}/oauth2/v2.0/token", cloud.authority)
            }
        };
        // On this machine every token service stands below a folder with its host's name.
        let service = match &settings.tokens {
            None => service,
            Some(here) => {
                format!("{}/{}", here.as_str().trim_end_matches('/'), service.trim_start_matches("https://"))
            }
        };
        let http: HttpClient = connector.connect(&ClientOptions::default())?;
        let way = Way { identity, audience: settings.audience.clone(), http, service };
        let rights = match &settings.whom {
            Whom::Aws { role, .. } => Held::Aws(Arc::new(Rights::new(ToAws { way, role: role.clone() }))),
            Whom::Gcp { provider } => {
                Held::Gcp(Arc::new(Rights::new(ToGcp { way, provider: provider.clone() })))
            }
            Whom::Azure { client, .. } => {
                Held::Azure(Arc::new(Rights::new(ToAzure { way, client: client.clone() })))
            }
        };
        Ok(Federation { settings, rights, connector })
    }

    /// What the storage is, and the path below it.
    fn objects(&self, address: &str) -> Result<(Arc<dyn ObjectStore>, String), BoxError> {
        let (bucket, path) = place(address)?;
        let Settings { whom, endpoint, region, .. } = &self.settings;
        let here = endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        let connector = self.connector.clone();
        match (&self.rights, whom) {
            (Held::Azure(rights), Whom::Azure { cloud, .. }) => {
                let (container, path) = path.split_once('/').unwrap_or((&path, ""));
                let endpoint = match here {
                    Some(here) => format!("{here}/{bucket}"),
                    None => format!("https://{bucket}.blob.{}", cloud.storage),
                };
                let objects = MicrosoftAzureBuilder::new()
                    .with_account(&bucket)
                    .with_container_name(container)
                    .with_allow_http(endpoint.starts_with("http://"))
                    .with_endpoint(endpoint)
                    .with_credentials(rights.clone())
                    .with_http_connector(connector)
                    .with_retry(fetch::retries());
                Ok((Arc::new(objects.build()?), path.to_owned()))
            }
            (Held::Aws(rights), Whom::Aws { suffix, .. }) => {
                let endpoint = here.unwrap_or_else(|| format!("https://s3.{region}.{suffix}"));
                let objects = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_region(region)
                    .with_allow_http(endpoint.starts_with("http://"))
                    .with_endpoint(endpoint)
                    .with_credentials(rights.clone())
                    .with_http_connector(connector)
                    // A bucket with object lock refuses a put without a checksum.
                    .with_checksum_algorithm(Checksum::SHA256)
                    .with_retry(fetch::retries());
                Ok((Arc::new(objects.build()?), path))
            }
            (Held::Gcp(rights), Whom::Gcp { .. }) => {
                let endpoint = here.unwrap_or_else(|| "https://storage.googleapis.com".to_owned());
                let objects = GoogleCloudStorageBuilder::new()
                    .with_bucket_name(bucket)
                    .with_base_url(&endpoint)
                    .with_credentials(rights.clone())
                    .with_http_connector(connector)
                    .with_retry(fetch::retries());
                Ok((Arc::new(objects.build()?), path))
            }
            (Held::Aws(_) | Held::Gcp(_) | Held::Azure(_), _) => Err(Unfit(address.to_owned()).into()),
        }
    }
}

#[async_trait]
impl<C: HttpConnector + Clone> Reach for Federation<C> {
    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError> {
        let (objects, path) = self.objects(address)?;
        Ok(Arc::new(ObjectRecords::new(objects, plain(address), &path, Listing::InOrder)?))
    }

    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError> {
        let (objects, path) = self.objects(address)?;
        let path = fetch::path(&path).ok_or_else(|| Unfit(address.to_owned()))?;
        match fetch::fetch(&*objects, &path, plain(address)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fetch::FetchError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// An address for people.
fn plain(address: &str) -> String {
    address.split('?').next().unwrap_or(address).trim_end_matches('/').to_owned()
}

/// The way to the store, where the deployment says that it is on another cloud. `home` is the function's own cloud.
pub fn reach<H, C>(
    config: &Config,
    forms: &Forms,
    home: &H,
    connector: C,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Arc<dyn Reach>>, Wrong>
where
    H: Home + Identity + Clone + 'static,
    C: HttpConnector + Clone,
{
    let Some(address) = config.foreign_store(forms) else {
        return Settings::unwanted(variable, &config.store).map_or(Ok(None), Err);
    };
    let settings = Settings::read(variable, address, home.footing() == Footing::Loopback)?;
    let federation = Federation::new(settings, Arc::new(home.clone()), connector);
    let federation =
        federation.map_err(|error| Wrong { variable: "LANDFALL_STORE", why: error.to_string() })?;
    Ok(Some(Arc::new(federation)))
}
