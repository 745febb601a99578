//! One whole object of a cloud's storage, such as a bundle: at most so large, and within so long.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt as _, RetryConfig};

/// A bundle is text that people write and a signature; the largest organization's is a few megabytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Long enough for the largest over a home connection, short enough for a function to say what it waited for.
pub const ARRIVAL: Duration = Duration::from_secs(60);

/// Why an object did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("there is no object `{address}`")]
    Missing {
        address: String,
        #[source]
        source: object_store::Error,
    },
    #[error("could not read `{address}`")]
    Read {
        address: String,
        #[source]
        source: object_store::Error,
    },
    #[error("`{address}` has more than {limit} bytes")]
    TooLarge { address: String, limit: usize },
    #[error("`{address}` did not arrive within {limit:?}")]
    TooSlow { address: String, limit: Duration },
}

/// How often and how long a cloud's storage is asked again. The default of ten attempts within three minutes is longer than a function
/// may run.
pub fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: 4,
        retry_timeout: Duration::from_secs(30),
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
    }
}

/// The path of an object; nothing where the text names a whole bucket, or what can't be a path.
pub fn path(text: &str) -> Option<Path> {
    Path::parse(text).ok().filter(|path| !path.as_ref().is_empty())
}

/// One whole object. `address` is what people are shown.
pub async fn fetch(objects: &dyn ObjectStore, path: &Path, address: String) -> Result<Bytes, FetchError> {
    match tokio::time::timeout(ARRIVAL, read(objects, path, &address)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(FetchError::TooSlow { address, limit: ARRIVAL }),
    }
}

async fn read(objects: &dyn ObjectStore, path: &Path, address: &str) -> Result<Bytes, FetchError> {
    let failed = |source| {
        let address = address.to_owned();
        match matches!(source, object_store::Error::NotFound { .. }) {
            true => FetchError::Missing { address, source },
            false => FetchError::Read { address, source },
        }
    };
    let mut chunks = objects.get(path).await.map_err(failed)?.into_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge { address: address.to_owned(), limit: LARGEST });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}
