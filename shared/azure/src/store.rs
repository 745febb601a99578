//! Blob Storage for records and bundles: object_store on the shared connector, with the process's own token.
//!
//! The account must not have the hierarchical namespace of Data Lake: there a record can't lie below another, as the pages of a sweep
//! do, and the first sweep says so.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::Url;
use bytes::Bytes;
use landfall_engine::store::StoreError;
use landfall_engine::store::fetch::{self, ARRIVAL, FetchError, retries};
use landfall_engine::store::object::{Listing, ObjectRecords};
use object_store::azure::{AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::{CredentialProvider, StaticCredentialProvider};

use crate::azurite;
use crate::client::Azure;
use crate::error::tidy;
use crate::http::{ANSWER, Connector};

/// What is wrong with an address in Blob Storage, or with what is there.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("`{0}` is not an address like `az://account/container/folder`")]
    Address(String),
    /// A process that works on this machine has no business in a real account.
    #[error(
        "`{0}` is a real account, and this process works on this machine: `LANDFALL_AZURE_STORAGE` says where an Azurite is, whose account is `devstoreaccount1`"
    )]
    NotHere(String),
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

impl Azure {
    /// The store at `az://account/container/folder`.
    pub fn store(&self, url: &str) -> Result<ObjectRecords, BlobError> {
        let address = Address::parse(url)?;
        let objects = self.container(&address, ANSWER)?;
        Ok(ObjectRecords::new(Arc::new(objects), address.to_string(), &address.path, Listing::InOrder)?)
    }

    /// One whole blob, `az://account/container/path/to/blob`.
    pub async fn fetch(&self, url: &str) -> Result<Bytes, BlobError> {
        let address = Address::parse(url)?;
        let path = fetch::path(&address.path).ok_or_else(|| BlobError::Address(tidy(url)))?;
        let objects = self.container(&address, ARRIVAL)?;
        Ok(fetch::fetch(&objects, &path, address.to_string()).await?)
    }

    fn container(&self, address: &Address, answer: Duration) -> Result<MicrosoftAzure, BlobError> {
        let Address { account, container, path: _ } = address;
        let builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(container)
            .with_http_connector(Connector::new(self.connections(), answer))
            .with_retry(retries());
        let builder = match self.storage_here() {
            Some(here) if account == azurite::ACCOUNT => {
                let right = StaticCredentialProvider::new(AzureCredential::SASToken(azurite::right()));
                let root = here.as_str().trim_end_matches('/');
                builder.with_endpoint(format!("{root}/{account}")).with_credentials(Arc::new(right))
            }
            Some(_) => return Err(BlobError::NotHere(address.to_string())),
            None if self.is_loopback() => return Err(BlobError::NotHere(address.to_string())),
            None => builder
                .with_endpoint(format!("https://{account}.blob.{}", self.cloud().storage()))
                .with_credentials(Arc::new(OwnToken(self.clone()))),
        };
        builder.build().map_err(|source| BlobError::Setup { address: address.to_string(), source })
    }
}

/// The process's own identity, in the form that object_store asks for before every request.
#[derive(Debug)]
struct OwnToken(Azure);

#[async_trait]
impl CredentialProvider for OwnToken {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let failed = |error| object_store::Error::Generic { store: "Blob Storage", source: Box::new(error) };
        let token = self.0.storage_token().await.map_err(failed)?;
        Ok(Arc::new(AzureCredential::BearerToken(token.token.secret().to_owned())))
    }
}

/// `az://account/container/path`.
#[derive(Debug, PartialEq)]
struct Address {
    account: String,
    container: String,
    path: String,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { account, container, path } = self;
        write!(f, "az://{account}/{container}{}{path}", if path.is_empty() { "" } else { "/" })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, BlobError> {
        let wrong = || BlobError::Address(tidy(text));
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = url.scheme() == "az"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let account = url.host_str().filter(|account| plain && is_account(account)).ok_or_else(wrong)?;
        let path = url.path().trim_matches('/');
        let (container, path) = path.split_once('/').unwrap_or((path, ""));
        if !is_name(container, 63) {
            return Err(wrong());
        }
        Ok(Self { account: account.to_owned(), container: container.to_owned(), path: path.to_owned() })
    }
}

/// The rules of storage accounts; the name becomes part of a host.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>, "Microsoft.Storage".
pub(crate) fn is_account(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The rules of containers and queues, which are the same.
pub(crate) fn is_name(name: &str, longest: usize) -> bool {
    (3..=longest).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_account_a_container_and_a_path() {
        let parse = |text| Address::parse(text).map(|address| address.to_string());
        for (text, expected) in [
            ("az://acmelandfall/store", "az://acmelandfall/store"),
            ("az://acmelandfall/store/", "az://acmelandfall/store"),
            ("az://acmelandfall/my-store/a/b/", "az://acmelandfall/my-store/a/b"),
            ("az://devstoreaccount1/store/bundle.json", "az://devstoreaccount1/store/bundle.json"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for bad in [
            "",
            "acmelandfall",
            "az://",
            "az://acmelandfall",
            "az://acmelandfall/",
            "az:///store/x",
            "az://Acme/store",
            "az://acme-landfall/store",
            "az://acme.evil.example/store",
            "az://ac/store",
            "az://a:b@acmelandfall/store",
            "az://acmelandfall:99/store",
            "az://acmelandfall/Store",
            "az://acmelandfall/st",
            "az://acmelandfall/-store",
            "az://acmelandfall/my--store",
            "az://acmelandfall/$web",
            "az://acmelandfall/store/x?sig=1",
            "az://acmelandfall/store/x#f",
            "https://acmelandfall.blob.core.windows.net/store",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_process_that_works_on_this_machine_reaches_no_real_account() {
        let azure = Azure::loopback("http://127.0.0.1:1").unwrap();
        assert!(matches!(azure.store("az://acmelandfall/store"), Err(BlobError::NotHere(_))));
        assert!(matches!(azure.store("az://devstoreaccount1/store"), Err(BlobError::NotHere(_))));
        let azure = Azure::loopback_with_storage("http://127.0.0.1:1", "http://127.0.0.1:2").unwrap();
        assert!(matches!(azure.store("az://acmelandfall/store"), Err(BlobError::NotHere(_))));
        assert!(azure.store("az://devstoreaccount1/store").is_ok());
        let error = Azure::loopback_with_storage("http://127.0.0.1:1", "http://acmelandfall.example");
        assert!(error.unwrap_err().to_string().contains("LANDFALL_AZURE_STORAGE"));
    }
}
