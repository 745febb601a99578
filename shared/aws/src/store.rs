//! S3 for records and bundles: object_store on the shared connector, signed with the process's own credentials.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use landfall_engine::store::StoreError;
use landfall_engine::store::fetch::{self, FetchError, retries};
use landfall_engine::store::object::{Listing, ObjectRecords};
use object_store::CredentialProvider;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential, Checksum};
use url::Url;

use crate::client::Aws;
use crate::endpoint::{NotARegion, is_region};
use crate::error::tidy;

/// What is wrong with an address in S3, or with what is there.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error("`{0}` is not an address like `s3://bucket/folder`")]
    Address(String),
    /// Directory buckets sign in another way and list in another order.
    #[error("`{0}` is a directory bucket, which Landfall does not use")]
    DirectoryBucket(String),
    #[error("could not use the region of the address")]
    Region(#[from] NotARegion),
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

impl Aws {
    /// The store at `s3://bucket/folder`; `?region=` names the bucket's region where it isn't ours.
    pub fn store(&self, url: &str) -> Result<ObjectRecords, S3Error> {
        let address = Address::parse(url)?;
        let objects = self.bucket(&address)?;
        Ok(ObjectRecords::new(Arc::new(objects), address.to_string(), &address.path, Listing::InOrder)?)
    }

    /// One whole object, `s3://bucket/path/to/object`.
    pub async fn fetch(&self, url: &str) -> Result<Bytes, S3Error> {
        let address = Address::parse(url)?;
        let path = fetch::path(&address.path).ok_or_else(|| S3Error::Address(tidy(url)))?;
        let objects = self.bucket(&address)?;
        Ok(fetch::fetch(&objects, &path, address.to_string()).await?)
    }

    fn bucket(&self, address: &Address) -> Result<AmazonS3, S3Error> {
        let Address { bucket, path: _, region } = address;
        let region = region.as_deref().unwrap_or(self.region());
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_credentials(Arc::new(OwnCredentials(self.clone())))
            .with_http_connector(self.connector().clone())
            // A bucket with object lock refuses a put without a checksum.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_retry(retries());
        builder = match self.s3_override() {
            Some(endpoint) => {
                builder.with_endpoint(endpoint.as_str()).with_allow_http(endpoint.is_loopback())
            }
            None => {
                let host = self.s3_host(region)?;
                // The certificate covers one label in front of the host, so a name with dots goes into the path.
                match bucket.contains('.') {
                    true => builder.with_endpoint(format!("https://{host}")),
                    false => builder
                        .with_endpoint(format!("https://{bucket}.{host}"))
                        .with_virtual_hosted_style_request(true),
                }
            }
        };
        builder.build().map_err(|source| S3Error::Setup { address: address.to_string(), source })
    }
}

/// The process's own identity, in the form that object_store asks for before every request.
#[derive(Debug)]
struct OwnCredentials(Aws);

#[async_trait]
impl CredentialProvider for OwnCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let failed = |error| object_store::Error::Generic { store: "S3", source: Box::new(error) };
        let credentials = self.0.own_credentials().await.map_err(failed)?;
        Ok(Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        }))
    }
}

/// `s3://bucket/path`, with the bucket's region if it is given.
#[derive(Debug, PartialEq)]
struct Address {
    bucket: String,
    path: String,
    region: Option<String>,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bucket, path, region: _ } = self;
        write!(f, "s3://{bucket}{}{path}", if path.is_empty() { "" } else { "/" })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, S3Error> {
        let wrong = || S3Error::Address(tidy(text));
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = url.scheme() == "s3"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.fragment().is_none();
        let bucket = url.host_str().filter(|bucket| plain && is_bucket(bucket)).ok_or_else(wrong)?;
        if bucket.ends_with("--x-s3") {
            return Err(S3Error::DirectoryBucket(bucket.to_owned()));
        }
        let mut region = None;
        for (name, value) in url.query_pairs() {
            if name != "region" || region.is_some() {
                return Err(wrong());
            }
            if !is_region(&value) {
                return Err(NotARegion::new(&value).into());
            }
            region = Some(value.into_owned());
        }
        Ok(Self { bucket: bucket.to_owned(), path: url.path().trim_matches('/').to_owned(), region })
    }
}

/// The rules of general purpose buckets; the name becomes part of a host.
fn is_bucket(name: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_path() {
        let parse = |text| Address::parse(text).map(|a| (a.to_string(), a.region));
        assert_eq!(parse("s3://landfall-store").unwrap(), ("s3://landfall-store".to_owned(), None));
        assert_eq!(
            parse("s3://my.bucket/a/b/?region=eu-central-1").unwrap(),
            ("s3://my.bucket/a/b".to_owned(), Some("eu-central-1".to_owned()))
        );
        for bad in [
            "",
            "bucket",
            "https://bucket/x",
            "s3://",
            "s3:///x",
            "s3://Bucket_1/x",
            "s3://a:b@bucket/x",
            "s3://bucket:99/x",
            "s3://bucket/x?versionId=1",
            "s3://bucket/x?region=evil.com/",
            "s3://bucket/x#f",
            "s3://stores--use1-az4--x-s3/x",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
