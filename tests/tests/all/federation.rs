//! A function whose store is on another cloud gets there with a token of its own cloud, and only where that cloud trusts exactly its
//! issuer, its subject and its audience. The functions as they are packaged, against simulated token services and storage that nobody here
//! wrote.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use landfall_aws::Aws;
use landfall_azure::Azure;
use landfall_engine::store::Store;
use landfall_gcp::Gcp;
use landfall_model::id::Provider;
use landfall_model::manifest::bundle::Bundle;
use landfall_simulator::azure::AzureSimulator;
use landfall_simulator::cloud_run::CloudRun;
use landfall_simulator::functions_host::{Asked, Host, HostOptions};
use landfall_simulator::gcp::GcpSimulator;
use landfall_simulator::lambda::{Function, Invocation};
use landfall_simulator::tokens::{GOOGLE, TokenExchange, Trust};
use landfall_simulator::{Options, Simulator};
use landfall_tests::azurite::Azurite;
use landfall_tests::gcs::Gcs;
use landfall_tests::judges::{Moto, python};
use landfall_tests::packages::unpacked;
use landfall_tests::{azure, gcp, stage};

use crate::three_clouds::ALL;

const ROLE: &str = "arn:aws:iam::111111111111:role/landfall-store";
const POOL: &str =
    "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/landfall/providers/elsewhere";
const CLIENT: &str = "5a0e0000-0000-4000-8000-0000000000dd/5a0e0000-0000-4000-8000-0000000000ee";

/// Who a function is at home, and for whom its token is made where that can't be the usual one.
fn at_home(home: Provider) -> (&'static str, String, Option<&'static str>) {
    match home {
        Provider::Aws => {
            let role = format!("arn:aws:iam::{}:role/controller", landfall_simulator::MANAGEMENT_ACCOUNT);
            (TokenExchange::AWS, role, None)
        }
        Provider::Azure => {
            (TokenExchange::AZURE, TokenExchange::AZURE_SUBJECT.to_owned(), Some("api://landfall-store"))
        }
        Provider::Gcp => (GOOGLE, TokenExchange::GCP_SUBJECT.to_owned(), None),
    }
}

/// As whom to come to a store, and the usual audience there.
fn at_store(store: Provider) -> (&'static str, String) {
    match store {
        Provider::Aws => (ROLE, "sts.amazonaws.com".to_owned()),
        Provider::Azure => (CLIENT, "api://AzureADTokenExchange".to_owned()),
        Provider::Gcp => (POOL, format!("https:{POOL}")),
    }
}

fn right(home: Provider, store: Provider) -> Trust {
    let (issuer, subject, audience) = at_home(home);
    let (whom, usual) = at_store(store);
    Trust {
        whom: whom.to_owned(),
        issuer: issuer.to_owned(),
        subject,
        audience: audience.map_or(usual, str::to_owned),
    }
}

/// All storages, each with the bundle in it.
struct Storages {
    moto: Moto,
    azurite: Azurite,
    gcs: Gcs,
    _file: tempfile::NamedTempFile,
}

impl Storages {
    fn start() -> Self {
        let (moto, azurite, gcs) = (Moto::start(), Azurite::start(), Gcs::start());
        let bundle = Bundle::build(stage::manifest(ALL)).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bundle.bytes()).unwrap();
        let prepare = |arguments: &[&str]| {
            let verdict = python("prepare_moto.py", &[&[moto.url()], arguments].concat(), "");
            assert!(verdict.content, "{}", verdict.complained);
        };
        prepare(&["organization"]);
        prepare(&["put", "bundle.json", file.path().to_str().unwrap()]);
        azurite.create_container("acme-landfall");
        azurite.put("acme-landfall", "bundle.json", bundle.bytes());
        gcs.create_bucket("acme-landfall");
        gcs.put("acme-landfall", "bundle.json", bundle.bytes());
        Storages { moto, azurite, gcs, _file: file }
    }

    /// Where the bundle and the store are, and the storage's own address.
    fn place(&self, store: Provider, tokens: &Arc<TokenExchange>) -> (String, String, String) {
        match store {
            Provider::Aws => (
                "s3://acme-landfall/bundle.json".to_owned(),
                "s3://acme-landfall/store?region=eu-central-1".to_owned(),
                self.moto.url().to_owned(),
            ),
            Provider::Azure => {
                let tokens = tokens.clone();
                let account = format!("az://{}/acme-landfall", landfall_azure::azurite::ACCOUNT);
                let door = self.azurite.door(move |bearer| tokens.gave(bearer));
                (format!("{account}/bundle.json"), format!("{account}/store"), door)
            }
            Provider::Gcp => (
                "gs://acme-landfall/bundle.json".to_owned(),
                "gs://acme-landfall/store".to_owned(),
                self.gcs.url().to_owned(),
            ),
        }
    }

    /// The store itself, by its own door.
    async fn store(&self, store: Provider) -> Arc<dyn Store> {
        const NOBODY: &str = "http://127.0.0.1:9";
        match store {
            Provider::Aws => {
                let aws = Aws::loopback(self.moto.url(), "eu-central-1").await.unwrap();
                Arc::new(aws.store("s3://acme-landfall/store").unwrap())
            }
            Provider::Azure => {
                let azure = Azure::loopback_with_storage(NOBODY, self.azurite.blob()).unwrap();
                let place = format!("az://{}/acme-landfall/store", landfall_azure::azurite::ACCOUNT);
                Arc::new(azure.store(&place).unwrap())
            }
            Provider::Gcp => {
                let gcp = Gcp::loopback_with_storage(NOBODY, self.gcs.url()).unwrap();
                Arc::new(gcp.store("gs://acme-landfall/store").await.unwrap())
            }
        }
    }
}

const STATUS: &str = r#"{"action": "status"}"#;
/// Nobody sends this. It is refused, and that is recorded.
const MALFORMED: &str = r#"{"action": "dance"}"#;

/// What a function on `home` says to a request, with a store on another cloud, and whether it could answer.
async fn asked(
    request: &str,
    home: Provider,
    store: Provider,
    storages: &Storages,
    trust: Trust,
) -> (bool, String) {
    let tokens = Arc::new(TokenExchange::start(vec![trust]).unwrap());
    let (manifest, address, endpoint) = storages.place(store, &tokens);
    let (_, _, audience) = at_home(home);
    let mut environment = BTreeMap::from([
        ("LANDFALL_MANIFEST".to_owned(), manifest),
        ("LANDFALL_STORE".to_owned(), address),
        ("LANDFALL_STORE_IDENTITY".to_owned(), at_store(store).0.to_owned()),
        ("LANDFALL_STORE_TOKENS".to_owned(), tokens.url()),
        ("LANDFALL_STORE_ENDPOINT".to_owned(), endpoint),
    ]);
    environment.extend(audience.map(|audience| ("LANDFALL_STORE_AUDIENCE".to_owned(), audience.to_owned())));
    let mut set = |name: &str, value: String| environment.insert(name.to_owned(), value);
    let manifest = stage::manifest(ALL);
    match home {
        Provider::Aws => {
            let world = Some(stage::granted(stage::world(2), &manifest));
            let simulator = Simulator::start(Options { world, ..Options::default() }).unwrap();
            set("AWS_ENDPOINT_URL", simulator.url());
            set("AWS_REGION", "eu-central-1".to_owned());
            set("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned());
            set("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned());
            set("LANDFALL_QUEUE", simulator.create_queue("eu-central-1", "landfall-work", 5));
            let program = unpacked().join("aws/bootstrap");
            let mut function = Function::start(program, &[], &environment).await.unwrap();
            let request = serde_json::from_str(request).unwrap();
            let answer = function.invoke(&request, Duration::from_secs(60)).await;
            drop(function.end().await);
            match answer {
                Invocation::Answer(answer) => (true, answer.to_string()),
                failed @ (Invocation::Failed(_) | Invocation::Died) => (false, format!("{failed:?}")),
            }
        }
        Provider::Azure => {
            let simulator = AzureSimulator::start(landfall_simulator::azure::AzureOptions {
                world: Some(azure::granted(azure::world(2), &manifest)),
                ..landfall_simulator::azure::AzureOptions::default()
            })
            .unwrap();
            set("LANDFALL_AZURE_ENDPOINT", simulator.url());
            set("LANDFALL_QUEUE", storages.azurite.queue_url("landfall-work"));
            set("LANDFALL_QUEUE_NAME", "landfall-work".to_owned());
            set("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned());
            set("LANDFALL_EVENT_HUB", "activity".to_owned());
            set("LANDFALL_AZURE_STORAGE", storages.azurite.blob().to_owned());
            set("IDENTITY_ENDPOINT", format!("{}/msi/token", tokens.url()));
            set("IDENTITY_HEADER", TokenExchange::IDENTITY_HEADER.to_owned());
            let options = HostOptions {
                handler: Some(unpacked().join("azure/landfall-function-azure")),
                environment: environment.into_iter().collect(),
                ..HostOptions::new(unpacked().join("azure"))
            };
            let host = Host::start(options).await.unwrap();
            let mut request =
                Asked { method: "POST".to_owned(), body: request.as_bytes().to_vec(), ..Asked::default() };
            request.headers.insert("x-functions-key".to_owned(), "landfall-key".to_owned());
            let answer = host.invoke_http("console", &request).await;
            let said = host.end().await;
            (answer.status == 200, format!("{} {said:?}", String::from_utf8_lossy(&answer.body)))
        }
        Provider::Gcp => {
            let simulator = GcpSimulator::start(landfall_simulator::gcp::GcpOptions {
                world: Some(gcp::granted(gcp::world(2), &manifest)),
                ..landfall_simulator::gcp::GcpOptions::default()
            })
            .unwrap();
            let port = CloudRun::port().unwrap();
            set("LANDFALL_GCP_ENDPOINT", simulator.url());
            set("LANDFALL_GCP_TASKS", "http://127.0.0.1:9".to_owned());
            set("LANDFALL_QUEUE", "projects/acme-landfall/locations/europe-west1/queues/work".to_owned());
            set("LANDFALL_WORKER", format!("http://127.0.0.1:{port}/work"));
            set("LANDFALL_AUTH", "platform".to_owned());
            set("GCE_METADATA_HOST", tokens.url().trim_start_matches("http://").to_owned());
            let service =
                CloudRun::start(unpacked().join("gcp/landfall-function-gcp"), &[], port, &environment)
                    .await
                    .unwrap();
            let answer = service.post("/", &[("content-type", "application/json")], request).await.unwrap();
            let said = service.end().await;
            (answer.acknowledges(), format!("{answer:?} {said:?}"))
        }
    }
}

const PAIRS: [(Provider, Provider); 6] = [
    (Provider::Azure, Provider::Aws),
    (Provider::Gcp, Provider::Aws),
    (Provider::Aws, Provider::Gcp),
    (Provider::Azure, Provider::Gcp),
    (Provider::Aws, Provider::Azure),
    (Provider::Gcp, Provider::Azure),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_reaches_a_store_on_another_cloud_without_a_secret() {
    let storages = Storages::start();
    for (home, store) in PAIRS {
        let (answered, said) = asked(STATUS, home, store, &storages, right(home, store)).await;
        assert!(answered && said.contains("0 targets"), "{home} to {store}: {said}");

        // What it is told to write stands there, by the word of the storage itself.
        let (_, said) = asked(MALFORMED, home, store, &storages, right(home, store)).await;
        let recorded = said.split(['"', '\\']).find(|part| part.starts_with("refused/"));
        let recorded = recorded.unwrap_or_else(|| panic!("{home} to {store}: {said}"));
        let there = storages.store(store).await.get(&recorded.parse().unwrap()).await.unwrap();
        let there = String::from_utf8(there.unwrap().bytes.to_vec()).unwrap();
        assert!(there.contains("unknown variant `dance`"), "{home} to {store}: {there}");
    }
    for store in [Provider::Aws, Provider::Azure, Provider::Gcp] {
        let kept = storages.store(store).await.list("refused", None, 10).await.unwrap();
        assert_eq!(kept.len(), 2, "one of each that is elsewhere: {store}: {kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_expected_exactly_is_refused_and_told_what_to_look_at() {
    let storages = Storages::start();
    for (home, store) in PAIRS {
        let right = right(home, store);
        for (what, wrong) in [
            ("issuer", Trust { issuer: "https://issuer.example".to_owned(), ..right.clone() }),
            ("subject", Trust { subject: "somebody-else".to_owned(), ..right.clone() }),
            ("audience", Trust { audience: "api://somebody-else".to_owned(), ..right.clone() }),
        ] {
            let (answered, said) = asked(STATUS, home, store, &storages, wrong).await;
            assert!(!answered, "{home} to {store} with a wrong {what}: {said}");
            assert!(said.contains("does not let this function in"), "{home} to {store}, {what}: {said}");
            assert!(said.contains(&right.audience), "{home} to {store}, {what}: {said}");
            // The token itself is nobody's business.
            assert!(!said.contains("eyJ"), "{home} to {store}, {what}: {said}");
        }
    }
}
