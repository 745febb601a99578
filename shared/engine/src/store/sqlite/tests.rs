use super::*;
use crate::store::{StoreExt, contract};
use futures_util::future::join_all;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[tokio::test]
async fn keeps_the_contract() {
    let folder = folder();
    contract::run(&SqliteStore::open(folder.path().join("store")).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_on_a_runtime_with_several_threads() {
    let folder = folder();
    contract::run(&SqliteStore::open(folder.path().join("store")).await.unwrap()).await;
}

/// Sends each call to the next of several stores that should be one.
#[derive(Debug)]
struct InTurn(Vec<SqliteStore>, AtomicUsize);

impl InTurn {
    fn next(&self) -> &SqliteStore {
        &self.0[self.1.fetch_add(1, Ordering::Relaxed) % self.0.len()]
    }
}

#[async_trait]
impl Store for InTurn {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.next().get(key).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        self.next().create(key, bytes).await
    }

    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError> {
        self.next().update(key, bytes, seen).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.next().list(prefix, after, limit).await
    }

    fn describe(&self) -> String {
        self.next().describe()
    }
}

#[tokio::test]
async fn keeps_the_contract_through_three_connections_at_once() {
    let folder = folder();
    let stores = join_all((0..3).map(|_| SqliteStore::open(folder.path().join("store")))).await;
    let stores = stores.into_iter().collect::<Result<_, _>>().unwrap();
    contract::run(&InTurn(stores, AtomicUsize::new(0))).await;
}

/// What a process of the next test does.
const COUNT_IN: &str = "LANDFALL_TEST_COUNT_IN";
const COUNTS: u64 = 100;

#[tokio::test]
#[ignore = "runs as a process of another test"]
async fn count_in_this_process() {
    // Run by hand, it counts alone.
    let alone = folder();
    let path = env::var_os(COUNT_IN).map_or_else(|| alone.path().join("store"), PathBuf::from);
    let store = SqliteStore::open(path).await.unwrap();
    let counter = key("counter");
    for _ in 0..COUNTS {
        loop {
            let attempt = match store.read::<u64>(&counter).await.unwrap() {
                Some((count, seen)) => store.update_json(&counter, &(count + 1), &seen).await,
                None => store.create_json(&counter, &1).await,
            };
            match attempt {
                Ok(_) => break,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

#[tokio::test]
async fn several_processes_make_the_file_at_once_and_lose_no_count() {
    let folder = folder();
    let path = folder.path().join("store");
    let processes: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--ignored", "--exact", "store::sqlite::tests::count_in_this_process"])
                .env(COUNT_IN, &path)
                .output_in_background()
        })
        .collect();
    for process in processes {
        let output = process.join().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.read::<u64>(&key("counter")).await.unwrap().unwrap().0, 4 * COUNTS);
}

trait InBackground {
    fn output_in_background(&mut self) -> thread::JoinHandle<std::process::Output>;
}

impl InBackground for Command {
    fn output_in_background(&mut self) -> thread::JoinHandle<std::process::Output> {
        let child = self.stdout(std::process::Stdio::piped()).spawn().unwrap();
        thread::spawn(move || child.wait_with_output().unwrap())
    }
}

#[tokio::test]
async fn records_are_there_after_closing_and_one_file_remains() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = SqliteStore::open(&path).await.unwrap();
    let seen = store.create(&key("a"), Bytes::from("1")).await.unwrap();
    drop(store);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["store"]);

    let store = SqliteStore::open(&path).await.unwrap();
    store.update(&key("a"), Bytes::from("2"), &seen).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().bytes, "2");
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let folder = folder();
    let path = folder.path().join("store");
    fs::write(&path, "").unwrap();
    SqliteStore::open(&path).await.unwrap().create(&key("a"), Bytes::new()).await.unwrap();
}

#[tokio::test]
async fn commits_reach_the_disk_before_they_are_answered_for() {
    let folder = folder();
    let connection = prepare(&folder.path().join("store")).unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("synchronous"), 2, "FULL");
    assert_eq!(pragma("busy_timeout"), 10_000);
}

/// Files that aren't a store of this version, and what is said about them.
#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_untouched() {
    let folder = folder();
    let ours = {
        let path = folder.path().join("ours");
        let store = SqliteStore::open(&path).await.unwrap();
        store.create(&key("a"), Bytes::from(vec![7; 20_000])).await.unwrap();
        drop(store);
        fs::read(&path).unwrap()
    };
    let with = |at: usize, bytes: &[u8]| {
        let mut file = ours.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let foreign = {
        let path = folder.path().join("foreign");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("CREATE TABLE records (key TEXT); INSERT INTO records VALUES ('x')")
            .unwrap();
        drop(connection);
        fs::read(&path).unwrap()
    };
    let not_a_database = "something that isn't a database, expected a landfall store: name another file; this one was not changed";
    let another = "the database of another program, expected a landfall store: name another file; this one was not changed";
    let newer =
        "a store of format `2`, expected format `1`: it was made by a newer landfall, so upgrade this one";
    let damaged =
        "a damaged store, expected format `1`: restore it from a copy, or move it away to begin a new one";
    let table: [(&str, Vec<u8>, &str); 10] = [
        ("a text", b"kind: Organization\n".to_vec(), not_a_database),
        ("one byte", b"S".to_vec(), not_a_database),
        ("zeros", vec![0; 8192], not_a_database),
        ("another program's database", foreign, another),
        ("our database without its mark", with(68, &[0; 4]), another),
        ("a newer format", with(60, &2_u32.to_be_bytes()), newer),
        ("no format", with(60, &[0; 4]), damaged),
        ("a header that was cut off", ours[..50].to_vec(), damaged),
        ("a file that was cut off", ours[..4096].to_vec(), damaged),
        ("a schema that was overwritten", with(100, &[0xff; 3000]), damaged),
    ];
    for (situation, bytes, said) in table {
        let path = folder.path().join("file");
        fs::write(&path, &bytes).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::WrongFormat { .. }), "{situation}: {error:?}");
        assert_eq!(error.to_string(), format!("`{}` holds {said}", path.display()), "{situation}");
        assert!(fs::read(&path).unwrap() == bytes, "{situation}: the file was changed");
        let beside = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
        let beside: Vec<_> = beside.filter(|name| name.to_string_lossy().starts_with("file-")).collect();
        assert!(beside.is_empty(), "{situation}: left behind {beside:?}");
    }
}

#[tokio::test]
async fn damage_that_shows_only_later_is_told_as_such() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = SqliteStore::open(&path).await.unwrap();
    for number in 0..50 {
        store.create(&key(&format!("a/{number}")), Bytes::from(vec![7; 3000])).await.unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    fs::write(&path, &bytes).unwrap();

    let store = match SqliteStore::open(&path).await {
        Ok(store) => store,
        Err(error) => return assert!(matches!(error, StoreError::WrongFormat { .. }), "{error:?}"),
    };
    let keys: Vec<Key> = (0..50).map(|number| key(&format!("a/{number}"))).collect();
    let read = join_all(keys.iter().map(|key| store.get(key))).await;
    assert!(read.iter().any(|read| matches!(read, Err(StoreError::WrongFormat { .. }))), "{read:?}");
    assert!(read.iter().any(Result::is_ok), "what is whole can still be read");
}

#[tokio::test]
async fn places_that_cannot_hold_a_file_are_named() {
    let folder = folder();
    let inside = folder.path().join("no/such/folder/store");
    let error = SqliteStore::open(&inside).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no store at `{}`", inside.display()));
    assert!(!folder.path().join("no").exists());

    let error = SqliteStore::open(folder.path()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("could not open `{}`", folder.path().display()));
}

#[tokio::test]
async fn names_that_mean_something_to_sqlite_are_files() {
    let folder = folder();
    for name in [":memory:", "file:store?mode=memory", "a b'\"%20.db"] {
        let path = folder.path().join(name);
        SqliteStore::open(&path).await.unwrap().create(&key("a"), Bytes::new()).await.unwrap();
        assert!(path.is_file(), "`{name}`");
    }
}

#[tokio::test]
async fn a_version_of_another_store_was_not_seen_here() {
    let folder = folder();
    let store = SqliteStore::open(folder.path().join("store")).await.unwrap();
    store.create(&key("a"), Bytes::new()).await.unwrap();
    for tag in [Some("\"0x8D\""), Some(""), Some("-1"), Some("2"), None] {
        let seen = Version { e_tag: tag.map(str::to_owned), version: None };
        let refused = store.update(&key("a"), Bytes::from("x"), &seen).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{tag:?}: {refused:?}");
    }
}

#[tokio::test]
async fn calls_that_are_no_longer_waited_for_hold_nobody_up() {
    let folder = folder();
    let store = SqliteStore::open(folder.path().join("store")).await.unwrap();
    for number in 0..100 {
        let (key, now) = (key(&number.to_string()), Duration::ZERO);
        drop(tokio::time::timeout(now, store.create(&key, Bytes::new())).await);
    }
    store.create(&key("last"), Bytes::new()).await.unwrap();
    assert!(store.get(&key("last")).await.unwrap().is_some());
}

#[test]
fn a_call_that_fails_takes_no_others_along() {
    let folder = folder();
    let connection = prepare(&folder.path().join("store")).unwrap();
    let mut sql = Statements::prepare(&connection).unwrap();
    let (mut answers, mut calls): (Vec<_>, Vec<Box<dyn Call>>) = (Vec::new(), Vec::new());
    for name in ["a", "fails", "b"] {
        let (answer, answered) = oneshot::channel();
        answers.push(answered);
        let work = move |sql: &mut Statements<'_>| match name {
            "fails" => sql.connection.execute("INSERT INTO records VALUES (NULL, 1, x'')", []),
            name => sql.create.execute(params![name, b"x"]),
        };
        calls.push(Box::new(Work { access: Access::Write, work, result: None, answer }));
    }
    answer_all(&mut sql, calls);
    let outcomes: Vec<bool> = answers.iter_mut().map(|answer| answer.try_recv().unwrap().is_ok()).collect();
    assert_eq!(outcomes, [true, false, true]);
    let stored: i64 = connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
}
