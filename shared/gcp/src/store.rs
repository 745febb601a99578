//! Cloud Storage for records and bundles: object_store on the shared connector, with the process's own token.
//!
//! What a version is here is the object's generation, and a lost race is told by that: the XML API's `x-goog-if-generation-match`,
//! <https://cloud.google.com/storage/docs/request-preconditions>. Cloud Storage takes about one write a second of one object, and asks
//! who writes more often to wait, which object_store does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use landfall_engine::store::StoreError;
use landfall_engine::store::fetch::{self, ARRIVAL, FetchError, retries};
use landfall_engine::store::object::{Listing, ObjectRecords};
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::{CredentialProvider, StaticCredentialProvider};
use url::Url;

use crate::client::{Client, Gcp};
use crate::error::{CallError, ConfigError, tidy};
use crate::http::{ANSWER, Connector};
use crate::identity::Who;

/// What is wrong with an address in Cloud Storage, or with what is there.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("`{0}` is not an address like `gs://bucket/folder`")]
    Address(String),
    /// A process that works on this machine has no business in a real bucket.
    #[error(
        "`{0}` is a real bucket, and this process works on this machine: `LANDFALL_GCP_STORAGE` says where a Cloud Storage is"
    )]
    NotHere(String),
    #[error("could not use the credentials")]
    Config(#[from] ConfigError),
    #[error("could not prove to Cloud Storage who we are")]
    Credentials(#[source] Box<CallError>),
    #[error("could not set up access to `{address}`")]
    Setup {
        address: String,
        #[source]
        source: object_store::Error,
    },
    #[error("could not set up the store")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl Gcp {
    /// The store at `gs://bucket/folder`. The credentials are asked which universe they are of, so it may have to reach the host.
    pub async fn store(&self, url: &str) -> Result<ObjectRecords, BucketError> {
        let address = Address::parse(url)?;
        let objects = self.bucket(&address, ANSWER).await?;
        Ok(ObjectRecords::new(Arc::new(objects), address.to_string(), &address.path, Listing::InOrder)?)
    }

    /// One whole object, `gs://bucket/path/to/object`.
    pub async fn fetch(&self, url: &str) -> Result<Bytes, BucketError> {
        let address = Address::parse(url)?;
        let path = fetch::path(&address.path).ok_or_else(|| BucketError::Address(tidy(url)))?;
        let objects = self.bucket(&address, ARRIVAL).await?;
        Ok(fetch::fetch(&objects, &path, address.to_string()).await?)
    }

    async fn bucket(&self, address: &Address, answer: Duration) -> Result<GoogleCloudStorage, BucketError> {
        let builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(&address.bucket)
            .with_http_connector(Connector::new(self.connections().clone(), answer))
            .with_retry(retries());
        let builder = match self.storage_here() {
            Some(here) => {
                // Nobody asks who we are there.
                let word = GcpCredential { bearer: "landfall-own".to_owned() };
                builder
                    .with_base_url(here.as_str().trim_end_matches('/'))
                    .with_credentials(Arc::new(StaticCredentialProvider::new(word)))
            }
            None if self.is_loopback() => return Err(BucketError::NotHere(address.to_string())),
            None => {
                let own = self.client(&Who::Own)?;
                let (_, universe) =
                    own.token().await.map_err(|error| BucketError::Credentials(Box::new(error)))?;
                builder
                    .with_base_url(&format!("https://storage.{universe}"))
                    .with_credentials(Arc::new(OwnToken(own)))
            }
        };
        builder.build().map_err(|source| BucketError::Setup { address: address.to_string(), source })
    }
}

/// The process's own identity, in the form that object_store asks for before every request.
#[derive(Debug)]
struct OwnToken(Client);

#[async_trait]
impl CredentialProvider for OwnToken {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<GcpCredential>> {
        let failed = |error| object_store::Error::Generic { store: "Cloud Storage", source: Box::new(error) };
        let (bearer, _) = self.0.token().await.map_err(failed)?;
        Ok(Arc::new(GcpCredential { bearer }))
    }
}

/// `gs://bucket/path`.
#[derive(Debug, PartialEq)]
struct Address {
    bucket: String,
    path: String,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bucket, path } = self;
        write!(f, "gs://{bucket}{}{path}", if path.is_empty() { "" } else { "/" })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, BucketError> {
        let wrong = || BucketError::Address(tidy(text));
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = url.scheme() == "gs"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let bucket = url.host_str().filter(|bucket| plain && is_bucket(bucket)).ok_or_else(wrong)?;
        Ok(Self { bucket: bucket.to_owned(), path: url.path().trim_matches('/').to_owned() })
    }
}

/// The rules of buckets: <https://cloud.google.com/storage/docs/buckets#naming>.
fn is_bucket(name: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=222).contains(&name.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(b))
        && name.split('.').all(|part| (1..=63).contains(&part.len()))
        && end(bytes.first())
        && end(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_path() {
        let parse = |text| Address::parse(text).map(|address| address.to_string());
        for (text, expected) in [
            ("gs://acme-landfall", "gs://acme-landfall"),
            ("gs://acme-landfall/", "gs://acme-landfall"),
            ("gs://acme-landfall/a/b/", "gs://acme-landfall/a/b"),
            ("gs://acme_landfall.example/bundle.json", "gs://acme_landfall.example/bundle.json"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for bad in [
            "",
            "acme-landfall",
            "gs://",
            "gs:///x",
            "gs://Acme/store",
            "gs://ab/store",
            "gs://-acme/store",
            "gs://acme-/store",
            "gs://acme..example/store",
            "gs://a:b@acme-landfall/store",
            "gs://acme-landfall:99/store",
            "gs://acme%2Flandfall/store",
            "gs://acme-landfall/store?x=1",
            "gs://acme-landfall/store#f",
            "https://storage.googleapis.com/acme-landfall",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert!(Address::parse(&format!("gs://{}", "x".repeat(64))).is_err());
    }

    #[tokio::test]
    async fn a_process_that_works_on_this_machine_reaches_no_real_bucket() {
        let gcp = Gcp::loopback("http://127.0.0.1:1").unwrap();
        assert!(matches!(gcp.store("gs://acme-landfall/store").await, Err(BucketError::NotHere(_))));
        assert!(matches!(gcp.fetch("gs://acme-landfall/bundle.json").await, Err(BucketError::NotHere(_))));
        let gcp = Gcp::loopback_with_storage("http://127.0.0.1:1", "http://127.0.0.1:2").unwrap();
        assert!(gcp.store("gs://acme-landfall/store").await.is_ok());
        assert!(matches!(gcp.fetch("gs://acme-landfall/").await, Err(BucketError::Address(_))));
        let error = Gcp::loopback_with_storage("http://127.0.0.1:1", "http://storage.example");
        assert!(error.unwrap_err().to_string().contains("LANDFALL_GCP_STORAGE"));
    }
}
