//! A store in one SQLite file, shared by several processes of one machine.
//!
//! For a desk or a single server. The file needs a local disk (write-ahead logging shares memory between the
//! processes); a cloud function loses its disk, so there an object store is used instead.
//!
//! One thread owns the connection and its prepared statements, because SQLite blocks and a function's runtime has
//! a single thread. What waits while a commit reaches the disk is committed together with the next: ten workers
//! cost little more than one.

use super::{Key, Range, Store, StoreError, Stored, Version};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Statement, TransactionBehavior, params};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Marks the file as ours: `LAND`.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"LAND");
/// The tables below. Raise it when they change, and bring older files up to date in [`prepare`].
const FORMAT: u32 = 1;
/// How long to wait for other processes. Each holds the file for one commit; waits of a second were seen with
/// three busy ones, so ten seconds means that something is stuck.
const BUSY: Duration = Duration::from_secs(10);
/// Between two attempts where SQLite does not wait by itself.
const PAUSE: Duration = Duration::from_millis(5);
/// Calls that one commit may take: enough for every worker of a process, few enough to let others in soon.
const BATCH: usize = 64;

const TABLES: &str = "CREATE TABLE records (
    key     TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT";

/// A store in a file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    calls: Option<Sender<Box<dyn Call>>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, or makes it when it is missing or empty. A file that holds anything else is refused and
    /// left as it is.
    pub async fn open(path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        let path = path.into();
        let (calls, waiting) = channel();
        let (ready, opened) = oneshot::channel();
        let file = path.clone();
        let thread = thread::Builder::new()
            .name("sqlite-store".to_owned())
            .spawn(move || serve(&file, ready, &waiting))
            .map_err(|source| unavailable(&path, "start a thread for", source))?;
        // Made before the answer is known, so that a failed opening also waits for its thread.
        let store = SqliteStore { path, calls: Some(calls), thread: Some(thread) };
        match opened.await {
            Ok(Ok(())) => Ok(store),
            Ok(Err(error)) => Err(error),
            Err(gone) => Err(unavailable(&store.path, "open", gone)),
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        access: Access,
        work: impl FnMut(&mut Statements<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let call = Work { access, work, result: None, answer };
        if let Some(calls) = &self.calls
            && calls.send(Box::new(call)).is_ok()
            && let Ok(outcome) = answered.await
        {
            return outcome.map_err(|error| failed(&self.path, access.verb(), error));
        }
        Err(unavailable(&self.path, access.verb(), "the thread of the store has ended"))
    }
}

/// Closing waits for the thread, which writes the log back into the file, so that one whole file remains.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        drop(self.calls.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!(path = %self.path.display(), "the thread of the store had panicked");
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.call(Access::Read, move |sql| {
            let found = sql.get.query_row([key.as_str()], |row| {
                let (version, bytes): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                Ok(Stored { bytes: bytes.into(), version: Version::counted(version) })
            });
            found.optional()
        })
        .await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        let new = key.clone();
        let created =
            self.call(Access::Write, move |sql| sql.create.execute(params![new.as_str(), &*bytes])).await?;
        match created {
            0 => Err(StoreError::Conflict { key: key.clone() }),
            _ => Ok(Version::counted(1)),
        }
    }

    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError> {
        let conflict = || StoreError::Conflict { key: key.clone() };
        // A version that isn't a number is of another store: it was certainly not seen here.
        let number = seen.e_tag.as_deref().and_then(|tag| tag.parse::<i64>().ok());
        let seen = number.ok_or_else(conflict)?;
        let moved = key.clone();
        let updated = self
            .call(Access::Write, move |sql| sql.update.execute(params![moved.as_str(), &*bytes, seen]))
            .await?;
        match updated {
            0 => Err(conflict()),
            _ => Ok(Version::counted(seen + 1)),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let Range { above, below } = Range::new(prefix, after)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let names = self
            .call(Access::Read, move |sql| {
                sql.list.query_map(params![above, below, limit], |row| row.get::<_, String>(0))?.collect()
            })
            .await?;
        let names: Vec<String> = names;
        // Whoever writes a name that isn't a key into our table used another program: not ours, not listed.
        Ok(names.iter().filter_map(|name| Key::parse(name).ok()).collect())
    }

    fn describe(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Access {
    fn verb(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write to",
        }
    }
}

/// One call on its way to the thread and back.
trait Call: Send {
    fn access(&self) -> Access;
    /// May run again, after a rollback.
    fn run(&mut self, sql: &mut Statements<'_>) -> rusqlite::Result<()>;
    /// Tells the caller, once it is committed or has failed.
    fn answer(self: Box<Self>, outcome: rusqlite::Result<()>);
}

struct Work<T, F> {
    access: Access,
    work: F,
    result: Option<T>,
    answer: oneshot::Sender<rusqlite::Result<T>>,
}

impl<T: Send, F: FnMut(&mut Statements<'_>) -> rusqlite::Result<T> + Send> Call for Work<T, F> {
    fn access(&self) -> Access {
        self.access
    }

    fn run(&mut self, sql: &mut Statements<'_>) -> rusqlite::Result<()> {
        self.result = Some((self.work)(sql)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: rusqlite::Result<()>) {
        let Work { result, answer, .. } = *self;
        let outcome = outcome.and_then(|()| result.ok_or(rusqlite::Error::InvalidQuery));
        // A caller that no longer waits has been cancelled; there is nobody to tell.
        drop(answer.send(outcome));
    }
}

/// The thread: opens, answers calls until the store is dropped, closes.
fn serve(path: &Path, ready: oneshot::Sender<Result<(), StoreError>>, waiting: &Receiver<Box<dyn Call>>) {
    let connection = match prepare(path) {
        Ok(connection) => connection,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let mut sql = match Statements::prepare(&connection) {
        Ok(sql) => sql,
        Err(error) => return drop(ready.send(Err(failed(path, "open", error)))),
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(BATCH - 1));
        answer_all(&mut sql, batch);
    }
}

/// Commits the calls together, and if that fails each by itself.
fn answer_all(sql: &mut Statements<'_>, mut calls: Vec<Box<dyn Call>>) {
    let together = sql.commit_all(&mut calls);
    for mut call in calls {
        let outcome = match &together {
            Ok(()) => Ok(()),
            Err(error) => match error.sqlite_error() {
                // All have waited for as long as one may.
                Some(busy) if busy.code == ErrorCode::DatabaseBusy => {
                    Err(rusqlite::Error::SqliteFailure(*busy, None))
                }
                // Nothing of it happened; alone, the calls that can succeed do, and each learns its own error.
                Some(_) | None => sql.commit_all(std::slice::from_mut(&mut call)),
            },
        };
        call.answer(outcome);
    }
}

/// Prepared once: preparing costs more than running.
struct Statements<'c> {
    connection: &'c Connection,
    begin: Statement<'c>,
    commit: Statement<'c>,
    get: Statement<'c>,
    create: Statement<'c>,
    update: Statement<'c>,
    list: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Statements<'c>> {
        Ok(Statements {
            connection,
            // IMMEDIATE waits for other writers at the beginning; a read that turns into a write later is
            // refused at once, in spite of the busy timeout.
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            get: connection.prepare("SELECT version, bytes FROM records WHERE key = ?1")?,
            create: connection.prepare(
                "INSERT INTO records (key, version, bytes) VALUES (?1, 1, ?2) ON CONFLICT (key) DO NOTHING",
            )?,
            update: connection.prepare(
                "UPDATE records SET version = version + 1, bytes = ?2 WHERE key = ?1 AND version = ?3",
            )?,
            list: connection
                .prepare("SELECT key FROM records WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3")?,
        })
    }

    /// Runs all calls and commits them, or none.
    fn commit_all(&mut self, calls: &mut [Box<dyn Call>]) -> rusqlite::Result<()> {
        if calls.iter().all(|call| call.access() == Access::Read) {
            return calls.iter_mut().try_for_each(|call| call.run(self));
        }
        self.begin.execute([])?;
        let outcome = calls.iter_mut().try_for_each(|call| call.run(self)).and_then(|()| {
            self.commit.execute([])?;
            Ok(())
        });
        // Some errors (a full disk) have rolled back already, and then a second rollback would be an error.
        if outcome.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        outcome
    }
}

/// Opens the file and makes sure that it is ours before anything is written.
fn prepare(path: &Path) -> Result<Connection, StoreError> {
    // SQLite would recover, log beside and tidy up any database that it opens, so the first look is our own.
    if let Some(header) = header(path)? {
        check(path, header)?;
    }
    // Absolute and not as a URI, since `:memory:` and `file:…` mean something to SQLite.
    let file = std::path::absolute(path).map_err(|source| unavailable(path, "open", source))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| failed(path, "open", error);
    let mut connection = Connection::open_with_flags(file, flags).map_err(failed)?;
    // First of all: the change to write-ahead logging needs the file for itself, and has to wait its turn.
    connection.busy_timeout(BUSY).map_err(failed)?;
    let header = claim(&mut connection).map_err(failed)?;
    check(path, header)?;

    // Reads a page of the table, which a file that was cut off no longer has.
    connection
        .query_row("SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)", [], |_| Ok(()))
        .map_err(failed)?;
    let mode = log_ahead(&connection).map_err(failed)?;
    if mode != "wal" {
        return Err(unavailable(
            path,
            "share",
            format!("its journal stays in mode `{mode}`: is the disk local?"),
        ));
    }
    // A record that was answered for must survive a power cut: it may be the intent of a cloud write.
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    Ok(connection)
}

/// Changes to write-ahead logging; says which mode it is then.
///
/// The change needs the file for itself. Of two connections that would wait for each other SQLite refuses one at once, whatever the timeout
/// (<https://www.sqlite.org/c3ref/busy_handler.html>), so that one tries again here.
fn log_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let began = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < BUSY =>
            {
                thread::sleep(PAUSE);
            }
            outcome @ (Ok(_) | Err(_)) => return outcome,
        }
    }
}

/// Makes an empty file ours, in one transaction; says whose the file is.
fn claim(connection: &mut Connection) -> rusqlite::Result<Header> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let header = Header::of(number("application_id")?, number("user_version")?);
    let things: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if things > 0 || header != Header::EMPTY {
        return Ok(header);
    }
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", Header::OURS.application_id)?;
    transaction.pragma_update(None, "user_version", Header::OURS.format)?;
    transaction.commit()?;
    Ok(Header::OURS)
}

/// What the first bytes of a SQLite file say about whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    application_id: u32,
    format: u32,
}

impl Header {
    const EMPTY: Header = Header { application_id: 0, format: 0 };
    const OURS: Header = Header { application_id: APPLICATION_ID, format: FORMAT };

    /// SQLite shows both as signed numbers.
    fn of(application_id: i32, format: i32) -> Header {
        Header { application_id: application_id.cast_unsigned(), format: format.cast_unsigned() }
    }
}

/// Reads the header without SQLite; `None` when there is no file yet or nothing in it.
fn header(path: &Path) -> Result<Option<Header>, StoreError> {
    // https://www.sqlite.org/fileformat2.html: magic at 0, user version at 60, application id at 68.
    let mut bytes = Vec::with_capacity(100);
    match File::open(path).and_then(|file| file.take(100).read_to_end(&mut bytes)) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return folder_of(path).map(|()| None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(StoreError::Denied {
                doing: format!("open `{}`", path.display()),
                source: error.into(),
            });
        }
        Err(error) => return Err(unavailable(path, "open", error)),
    }
    let number = |at: usize| {
        bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).map(u32::from_be_bytes)
    };
    match (bytes.starts_with(b"SQLite format 3\0"), number(68), number(60)) {
        (true, Some(application_id), Some(format)) => Ok(Some(Header { application_id, format })),
        (true, _, _) => Err(damaged(path)),
        (false, _, _) => Err(foreign(path, "something that isn't a database")),
    }
}

/// A missing file is made, a missing folder is more likely a slip of the pen.
fn folder_of(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(StoreError::NoSuchStore {
            store: path.display().to_string(),
            source: format!("there is no folder `{}`", folder.display()).into(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn check(path: &Path, header: Header) -> Result<(), StoreError> {
    match header {
        Header { application_id: APPLICATION_ID, format: FORMAT } => Ok(()),
        Header { application_id: APPLICATION_ID, format } if format > FORMAT => {
            Err(StoreError::WrongFormat {
                store: path.display().to_string(),
                found: format!("a store of format `{format}`"),
                expected: format!("format `{FORMAT}`"),
                advice: "it was made by a newer landfall, so upgrade this one",
            })
        }
        Header { application_id: APPLICATION_ID, format: _ } => Err(damaged(path)),
        Header { application_id: _, format: _ } => Err(foreign(path, "the database of another program")),
    }
}

fn foreign(path: &Path, found: &str) -> StoreError {
    StoreError::WrongFormat {
        store: path.display().to_string(),
        found: found.to_owned(),
        expected: "a landfall store".to_owned(),
        advice: "name another file; this one was not changed",
    }
}

fn damaged(path: &Path) -> StoreError {
    StoreError::WrongFormat {
        store: path.display().to_string(),
        found: "a damaged store".to_owned(),
        expected: format!("format `{FORMAT}`"),
        advice: "restore it from a copy, or move it away to begin a new one",
    }
}

fn failed(path: &Path, verb: &str, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path),
        Some(
            ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied,
        ) => StoreError::Denied { doing: format!("{verb} `{}`", path.display()), source: error.into() },
        Some(_) | None => unavailable(path, verb, error),
    }
}

fn unavailable(path: &Path, verb: &str, source: impl Into<super::BoxError>) -> StoreError {
    StoreError::Unavailable { doing: format!("{verb} `{}`", path.display()), source: source.into() }
}

#[cfg(test)]
mod tests;
