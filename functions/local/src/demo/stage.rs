//! What the demonstration stands on: a folder, a signed bundle, one store, and a side for each cloud.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use landfall_engine::store::Store;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::statement::Statement;

use super::aws::{self, OnAws};
use super::azure::{self, OnAzure};
use super::gcp::{self, OnGcp};
use crate::command::{build, keygen, sign};
use crate::source::{self, DEMO_MARK};

const MANIFEST: &str = include_str!("landfall.yaml");

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) folder: Folder,
    pub(super) aws: OnAws,
    pub(super) azure: OnAzure,
    pub(super) gcp: OnGcp,
}

/// The demo's folder: manifest, key, bundle, store and logs, the same ones for all clouds.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) dir: PathBuf,
    pub(super) public_key: String,
    pub(super) store: Arc<dyn Store>,
    /// The id of the unit on AWS that was there before Landfall.
    established: String,
}

/// The tenants that somebody named a day later.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) account: &'a str,
    pub(super) subscription: &'a str,
    pub(super) project: &'a str,
}

impl Stage {
    /// Makes the folder, the clouds and the bundle, and starts the functions.
    pub(super) async fn set(dir: &Path) -> anyhow::Result<(Stage, Statement)> {
        make(dir)?;
        let (world, established) = aws::world();
        let folder = Folder {
            dir: dir.to_owned(),
            public_key: keygen::make(&dir.join("signing.key"))?.to_string(),
            store: Arc::new(SqliteStore::open(dir.join("landfall.db")).await?),
            established,
        };
        let statement = folder.bundle(1, None)?;
        let aws = OnAws::start(&folder, world).await?;
        let azure = OnAzure::start(&folder, azure::world()).await?;
        let gcp = OnGcp::start(&folder, gcp::world()).await?;
        Ok((Stage { folder, aws, azure, gcp }, statement))
    }

    /// Puts a newer bundle in the old one's place, and fresh processes in place of the old ones, as a deployment does.
    pub(super) async fn release(&mut self, generation: u64, named: &Named<'_>) -> anyhow::Result<Statement> {
        let statement = self.folder.bundle(generation, Some(named))?;
        self.aws.renew(&self.folder).await?;
        self.azure.renew(&self.folder).await?;
        self.gcp.renew(&self.folder).await?;
        Ok(statement)
    }

    /// Ends the functions and keeps their logs; the simulated clouds go on.
    pub(super) async fn end(self) -> anyhow::Result<Clouds> {
        let Stage { folder, aws, azure, gcp } = self;
        let (aws, said_on_aws) = aws.end().await;
        let (azure, said_on_azure) = azure.end().await;
        let (gcp, said_on_gcp) = gcp.end().await;
        let said = [(aws::LOG, said_on_aws), (azure::LOG, said_on_azure), (gcp::LOG, said_on_gcp)];
        for (name, said) in said {
            let path = folder.dir.join(name);
            std::fs::write(&path, said.join("\n") + "\n")
                .with_context(|| format!("could not write `{}`", path.display()))?;
        }
        Ok(Clouds { aws, azure, gcp })
    }
}

/// The simulated clouds, without anybody working in them.
#[derive(Debug)]
pub(super) struct Clouds {
    pub(super) aws: landfall_simulator::Simulator,
    pub(super) azure: landfall_simulator::azure::AzureSimulator,
    pub(super) gcp: landfall_simulator::gcp::GcpSimulator,
}

impl Folder {
    /// A file of the demo's, as people type it.
    pub(super) fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// The same for a process that runs in another folder.
    pub(super) fn absolute(&self, name: &str) -> anyhow::Result<String> {
        let path = std::path::absolute(self.dir.join(name)).context("could not find the folder we are in")?;
        Ok(path.display().to_string())
    }

    /// The store's address, as `--store` takes it.
    pub(super) fn store_address(&self) -> String {
        format!("sqlite:{}", self.path("landfall.db"))
    }

    /// Writes the manifest, with the new tenants where there are some, builds it and signs it.
    fn bundle(&self, generation: u64, named: Option<&Named<'_>>) -> anyhow::Result<Statement> {
        let now = Timestamp::now();
        let expires = (now + SignedDuration::from_hours(24 * 90)).strftime("%Y-%m-%d").to_string();
        let line = |line: &str| match (line.strip_prefix("#NEW"), named) {
            (Some(line), Some(Named { account, subscription, project })) => Some(
                line.replace("{account}", account)
                    .replace("{subscription}", subscription)
                    .replace("{project}", project),
            ),
            (Some(_), None) => None,
            (None, _) => {
                Some(line.replace("{expires}", &expires).replace("{established}", &self.established))
            }
        };
        let text: String = MANIFEST.lines().filter_map(line).map(|line| line + "\n").collect();
        let manifest = self.dir.join("manifest");
        let file = manifest.join("landfall.yaml");
        std::fs::write(&file, text).with_context(|| format!("could not write `{}`", file.display()))?;
        let (_, parsed) = source::read(&manifest.to_string_lossy())?;
        let said: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
        let manifest = parsed
            .manifest
            .with_context(|| format!("the demo's own manifest is wrong: {}", said.join("; ")))?;
        let path = self.dir.join("bundle.json");
        build::write(&path, Bundle::build(manifest)?.bytes())?;
        let expires = now + SignedDuration::from_hours(24 * 30);
        let author = Some("ada@acme.example".to_owned());
        Ok(sign::statement(&path, &self.dir.join("signing.key"), generation, expires, author, now)?.0)
    }
}

/// An empty folder of the demo's own. Only what an earlier demo left is replaced.
fn make(dir: &Path) -> anyhow::Result<()> {
    let doing = || format!("could not make the folder `{}`", dir.display());
    if dir.exists() {
        let empty = std::fs::read_dir(dir).with_context(doing)?.next().is_none();
        if !empty && !dir.join(DEMO_MARK).exists() {
            bail!("`{}` is there and holds something else: name another folder with `--dir`", dir.display());
        }
        std::fs::remove_dir_all(dir).with_context(doing)?;
    }
    std::fs::create_dir_all(dir.join("manifest")).with_context(doing)?;
    std::fs::write(dir.join(DEMO_MARK), "made by `landfall demo`, and replaced by the next one\n")
        .with_context(doing)
}

/// This program once more, as a function's process. By its name it would be another program, or none, where somebody builds a new
/// one meanwhile.
pub(super) fn this_program() -> anyhow::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("could not find this program's own file")
}
