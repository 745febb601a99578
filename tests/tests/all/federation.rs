//! A function whose store is on another cloud gets there with a token of its own cloud, and only where that cloud trusts exactly its
//! issuer, its subject and its audience. The real functions, against simulated token services and storage that nobody here wrote.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
use landfall_tests::judges::{
    Moto, azure_function_binary, function_binary, gcp_function_binary, python, root,
};
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
}

/// Asks a function on `home` how things stand by a store on another cloud: what it says.
async fn asked(home: Provider, store: Provider, storages: &Storages, trust: Trust) -> (bool, String) {
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
    const STATUS: &str = r#"{"action": "status"}"#;
    match home {
        Provider::Aws => {
            let simulator =
                Simulator::start(Options { world: Some(stage::world(2)), ..Options::default() }).unwrap();
            set("AWS_ENDPOINT_URL", simulator.url());
            set("AWS_REGION", "eu-central-1".to_owned());
            set("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned());
            set("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned());
            set("LANDFALL_QUEUE", simulator.create_queue("eu-central-1", "landfall-work", 5));
            let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
            let status = serde_json::from_str(STATUS).unwrap();
            let answer = function.invoke(&status, Duration::from_secs(60)).await;
            drop(function.end().await);
            match answer {
                Invocation::Answer(answer) => (true, answer.to_string()),
                failed @ (Invocation::Failed(_) | Invocation::Died) => (false, format!("{failed:?}")),
            }
        }
        Provider::Azure => {
            let simulator = AzureSimulator::start(landfall_simulator::azure::AzureOptions {
                world: Some(azure::world(2)),
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
                handler: Some(azure_function_binary()),
                environment: environment.into_iter().collect(),
                ..HostOptions::new(root().join("functions/azure/app"))
            };
            let host = Host::start(options).await.unwrap();
            let mut request =
                Asked { method: "POST".to_owned(), body: STATUS.as_bytes().to_vec(), ..Asked::default() };
            request.headers.insert("x-functions-key".to_owned(), "landfall-key".to_owned());
            let answer = host.invoke_http("console", &request).await;
            let said = host.end().await;
            (answer.status == 200, format!("{} {said:?}", String::from_utf8_lossy(&answer.body)))
        }
        Provider::Gcp => {
            let simulator = GcpSimulator::start(landfall_simulator::gcp::GcpOptions {
                world: Some(gcp::world(2)),
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
            let service = CloudRun::start(gcp_function_binary(), &[], port, &environment).await.unwrap();
            let answer = service.post("/", &[("content-type", "application/json")], STATUS).await.unwrap();
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
        let (answered, said) = asked(home, store, &storages, right(home, store)).await;
        assert!(answered && said.contains("0 targets"), "{home} to {store}: {said}");
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
            let (answered, said) = asked(home, store, &storages, wrong).await;
            assert!(!answered, "{home} to {store} with a wrong {what}: {said}");
            assert!(said.contains("does not let this function in"), "{home} to {store}, {what}: {said}");
            assert!(said.contains(&right.audience), "{home} to {store}, {what}: {said}");
            // The token itself is nobody's business.
            assert!(!said.contains("eyJ"), "{home} to {store}, {what}: {said}");
        }
    }
}
