use super::*;
use crate::store::contract;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions, PutPayload,
    PutResult,
};
use std::fmt;
use std::sync::Mutex;

type Result<T> = object_store::Result<T>;

type Failure = fn(String) -> ObjectError;

/// What the way to the storage does to us.
#[derive(Debug, Clone, Copy)]
enum Weather {
    /// The answer to each put is lost, so the client underneath sends it again.
    AnswersLost,
    /// The same, on a storage that keeps no metadata.
    AnswersAndMetadataLost,
    /// Another writer puts the same bytes just before us.
    TwinIsFirst,
    /// Lists backwards, ignores the offset, and looks at the prefix as mere text.
    ListsCarelessly,
    /// Each call fails like this.
    Fails(Failure),
}

/// Storage as far away as in the field.
#[derive(Debug)]
struct Remote {
    inner: InMemory,
    weather: Weather,
    listed: Arc<Mutex<usize>>,
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote")
    }
}

#[async_trait]
impl ObjectStore for Remote {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let bare = PutOptions { attributes: Attributes::new(), ..options.clone() };
        match self.weather {
            Weather::AnswersLost => drop(self.inner.put_opts(path, payload.clone(), options.clone()).await),
            Weather::AnswersAndMetadataLost | Weather::TwinIsFirst => {
                drop(self.inner.put_opts(path, payload.clone(), bare).await);
            }
            Weather::ListsCarelessly => {}
            Weather::Fails(with) => return Err(with(path.to_string())),
        }
        self.inner.put_opts(path, payload, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        match self.weather {
            Weather::Fails(with) => Err(with(path.to_string())),
            Weather::AnswersLost
            | Weather::AnswersAndMetadataLost
            | Weather::TwinIsFirst
            | Weather::ListsCarelessly => self.inner.get_opts(path, options).await,
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = Arc::clone(&self.listed);
        let prefix = prefix.map(|prefix| prefix.to_string()).unwrap_or_default();
        match self.weather {
            Weather::Fails(with) => stream::iter([Err(with(prefix))]).boxed(),
            Weather::ListsCarelessly => self
                .inner
                .list(None)
                .try_filter(move |object| std::future::ready(object.location.as_ref().starts_with(&prefix)))
                .collect::<Vec<_>>()
                .map(|mut objects| {
                    objects.reverse();
                    stream::iter(objects)
                })
                .flatten_stream()
                .boxed(),
            Weather::AnswersLost | Weather::AnswersAndMetadataLost | Weather::TwinIsFirst => self
                .inner
                .list(Some(&Path::from(prefix)))
                .inspect(move |_| *listed.lock().unwrap() += 1)
                .boxed(),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.weather {
            Weather::ListsCarelessly | Weather::Fails(_) => self.list(prefix),
            Weather::AnswersLost | Weather::AnswersAndMetadataLost | Weather::TwinIsFirst => {
                self.inner.list_with_offset(prefix, offset)
            }
        }
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("a store that puts a record in parts breaks its promise of one compare-and-swap")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        unreachable!("a store never deletes")
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unreachable!("a store lists keys, not folders")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("a store never copies")
    }
}

fn remote(weather: Weather, inner: InMemory, listing: Listing) -> (ObjectRecords, Arc<Mutex<usize>>) {
    let listed = Arc::new(Mutex::new(0));
    let objects = Remote { inner, weather, listed: Arc::clone(&listed) };
    (ObjectRecords::new(Arc::new(objects), "s3://records", "", listing).unwrap(), listed)
}

fn in_memory(folder: &str, listing: Listing) -> (Arc<InMemory>, ObjectRecords) {
    let objects = Arc::new(InMemory::new());
    (Arc::clone(&objects), ObjectRecords::new(objects, "memory", folder, listing).unwrap())
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[tokio::test]
async fn keeps_the_contract() {
    for folder in ["", "landfall", "landfall/store/"] {
        for listing in [Listing::InOrder, Listing::AnyOrder] {
            contract::run(&in_memory(folder, listing).1).await;
        }
    }
}

#[tokio::test]
async fn keeps_the_contract_on_a_storage_that_lists_carelessly() {
    contract::run(&remote(Weather::ListsCarelessly, InMemory::new(), Listing::AnyOrder).0).await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_has_happened() {
    let (store, _) = remote(Weather::AnswersLost, InMemory::new(), Listing::AnyOrder);
    let first = store.create(&key("a"), Bytes::from("1")).await.unwrap();
    let second = store.update(&key("a"), Bytes::from("2"), &first).await.unwrap();
    let stored = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((stored.bytes, stored.version), (Bytes::from("2"), second));

    let stale = store.update(&key("a"), Bytes::from("2"), &first).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "equal bytes, but not this write: {stale:?}");
}

#[tokio::test]
async fn keeps_the_contract_when_every_answer_is_lost() {
    contract::run(&remote(Weather::AnswersLost, InMemory::new(), Listing::AnyOrder).0).await;
}

#[tokio::test]
async fn a_write_that_cannot_be_told_from_anothers_is_a_conflict() {
    for weather in [Weather::AnswersAndMetadataLost, Weather::TwinIsFirst] {
        let inner = InMemory::new();
        let other = inner.put(&Path::from("b"), "0".into()).await.unwrap();
        let seen = Version { e_tag: other.e_tag, version: other.version };
        let (store, _) = remote(weather, inner, Listing::AnyOrder);
        let created = store.create(&key("a"), Bytes::from("1")).await;
        assert!(matches!(created, Err(StoreError::Conflict { .. })), "{weather:?}: {created:?}");
        let updated = store.update(&key("b"), Bytes::from("1"), &seen).await;
        assert!(matches!(updated, Err(StoreError::Conflict { .. })), "{weather:?}: {updated:?}");
    }
}

#[tokio::test]
async fn failures_are_told_by_what_one_can_do() {
    fn cause() -> Box<dyn std::error::Error + Send + Sync> {
        "the cause".into()
    }
    let denied = |path| ObjectError::PermissionDenied { path, source: cause() };
    let unknown = |path| ObjectError::Unauthenticated { path, source: cause() };
    let broken = |_| ObjectError::Generic { store: "S3", source: cause() };
    let absent = |path| ObjectError::NotFound { path, source: cause() };
    // weather, get, create, list
    let table: [(Failure, &str, &str, &str); 4] = [
        (
            denied,
            "not allowed to read `a` in `s3://records`",
            "not allowed to write `a` in `s3://records`",
            "not allowed to list `p/` in `s3://records`",
        ),
        (
            unknown,
            "not allowed to read `a` in `s3://records`",
            "not allowed to write `a` in `s3://records`",
            "not allowed to list `p/` in `s3://records`",
        ),
        (
            broken,
            "could not read `a` in `s3://records`",
            "could not write `a` in `s3://records`",
            "could not list `p/` in `s3://records`",
        ),
        (absent, "none", "there is no store at `s3://records`", "there is no store at `s3://records`"),
    ];
    for (with, get, create, list) in table {
        let (store, _) = remote(Weather::Fails(with), InMemory::new(), Listing::AnyOrder);
        let got = store.get(&key("a")).await.map_or_else(|error| error.to_string(), |_| "none".to_owned());
        assert_eq!(got, get);
        assert_eq!(store.create(&key("a"), Bytes::new()).await.unwrap_err().to_string(), create);
        let listed = store.list("p/", None, 1).await.unwrap_err();
        assert_eq!(listed.to_string(), list);
        let chain = std::iter::successors(std::error::Error::source(&listed), |error| error.source());
        assert!(
            chain.last().unwrap().to_string().contains("the cause"),
            "the chain ends in the cause: {listed:?}"
        );
    }
}

#[tokio::test]
async fn records_lie_in_their_folder_and_other_objects_are_not_listed() {
    let (objects, store) = in_memory("landfall", Listing::InOrder);
    store.create(&key("runs/1"), Bytes::from("1")).await.unwrap();
    assert!(objects.get(&Path::from("landfall/runs/1")).await.is_ok());

    for foreign in ["runs/2", "landfall2/runs/3", "landfall/runs/a note (1).txt", "landfall/runs/4"] {
        objects.put(&Path::from(foreign), "x".into()).await.unwrap();
    }
    assert_eq!(store.list("", None, 9).await.unwrap(), [key("runs/1"), key("runs/4")]);
    assert_eq!(store.list("runs", None, 9).await.unwrap(), [key("runs/1"), key("runs/4")]);
}

#[tokio::test]
async fn a_listing_in_order_ends_when_it_has_enough() {
    for (listing, objects_read) in [(Listing::InOrder, 3), (Listing::AnyOrder, 20)] {
        let inner = InMemory::new();
        for number in 0..20 {
            inner.put(&Path::from(format!("runs/{number:02}")), "x".into()).await.unwrap();
        }
        let (store, listed) = remote(Weather::TwinIsFirst, inner, listing);
        let keys = store.list("runs/", None, 3).await.unwrap();
        assert_eq!(keys, [key("runs/00"), key("runs/01"), key("runs/02")]);
        assert_eq!(*listed.lock().unwrap(), objects_read, "{listing:?}");
    }
}

#[test]
fn a_folder_is_whole_segments() {
    let refused = ObjectRecords::new(Arc::new(InMemory::new()), "memory", "/a//b", Listing::InOrder);
    assert!(matches!(refused, Err(StoreError::Prefix { .. })), "{refused:?}");
}
