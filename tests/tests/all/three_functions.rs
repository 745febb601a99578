//! The three functions' own processes at once, each woken by its own cloud's event: as they are built for tests, on one store; and as
//! `infra/package` packs them for the clouds, each on its own cloud's storage as an emulator that nobody here wrote has it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use landfall_aws::Aws;
use landfall_azure::Azure;
use landfall_engine::store::Store;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_gcp::Gcp;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::record::Life;
use landfall_simulator::cloud_run::CloudRun;
use landfall_simulator::cloud_tasks::{CloudTasks, CloudTasksOptions};
use landfall_simulator::functions_host::{Host, HostOptions, Invocation as Invoked};
use landfall_simulator::gcp::event::pushed;
use landfall_simulator::lambda::{Function, Invocation};
use landfall_simulator::storage_queue::StorageQueues;
use landfall_tests::azurite::Azurite;
use landfall_tests::gcs::Gcs;
use landfall_tests::judges::{
    Moto, azure_function_binary, function_binary, gcp_function_binary, python, root,
};
use landfall_tests::packages;
use landfall_tests::spine::Way as _;
use landfall_tests::stage;

use crate::three_clouds::{ALL, Three};

const WORK: &str = "landfall-work";
const TASKS: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";

/// What is started: the program, and what its deployment says.
struct Deployed {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
}

/// One of each.
struct Deployment {
    aws: Deployed,
    azure: Deployed,
    /// The folder that the Functions host reads.
    app: PathBuf,
    gcp: Deployed,
}

/// The functions' own processes on the clouds of a stage.
struct Functions {
    lambda: Function,
    host: Host,
    service: CloudRun,
    /// What they leave work in.
    _queues: CloudTasks,
}

impl Functions {
    async fn start(three: &Three, deployment: Deployment) -> Self {
        let owned = |pairs: &[(&str, String)], deployed: &Deployed| -> BTreeMap<String, String> {
            let all = pairs.iter().chain(&deployed.environment);
            all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let Deployment { aws, azure, app, gcp } = deployment;
        let on_aws = owned(
            &[
                ("AWS_ENDPOINT_URL", three.aws.simulator.url()),
                ("AWS_REGION", "eu-central-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned()),
                ("LANDFALL_QUEUE", three.aws.simulator.create_queue("eu-central-1", WORK, 5)),
            ],
            &aws,
        );
        let on_azure = owned(
            &[
                ("LANDFALL_AZURE_ENDPOINT", three.azure.simulator.url()),
                ("LANDFALL_QUEUE_NAME", WORK.to_owned()),
                ("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned()),
                ("LANDFALL_EVENT_HUB", "activity".to_owned()),
            ],
            &azure,
        );
        let options = HostOptions {
            handler: Some(azure.program),
            environment: on_azure.into_iter().collect(),
            ..HostOptions::new(app)
        };
        let tasks = CloudTasks::start(CloudTasksOptions::quick()).unwrap();
        tasks.create(TASKS);
        let port = CloudRun::port().unwrap();
        let on_gcp = owned(
            &[
                ("LANDFALL_GCP_ENDPOINT", three.gcp.simulator.url()),
                ("LANDFALL_GCP_TASKS", tasks.url()),
                ("LANDFALL_QUEUE", TASKS.to_owned()),
                ("LANDFALL_WORKER", format!("http://127.0.0.1:{port}/work")),
                ("LANDFALL_AUTH", "platform".to_owned()),
            ],
            &gcp,
        );
        Functions {
            lambda: Function::start(aws.program, &[], &on_aws).await.unwrap(),
            host: Host::start(options).await.unwrap(),
            service: CloudRun::start(gcp.program, &[], port, &on_gcp).await.unwrap(),
            _queues: tasks,
        }
    }
}

/// A new tenant on each cloud, whose event wakes that cloud's function until it is handed over.
async fn a_new_tenant_on_each_is_handed_over(three: &Three, deployment: Deployment) {
    three.sweep().await;
    drop((three.aws.simulator.take_events(), three.azure.simulator.take_events()));
    drop(three.gcp.simulator.take_events());

    let account = three.aws.simulator.edit(|world| world.create_account("new-shop"));
    let is_result = |event: &serde_json::Value| event["detail"]["eventName"] == "CreateAccountResult";
    let created = three.aws.simulator.take_events().into_iter().find(is_result).unwrap();
    let subscription = three.azure.simulator.make("new-shop");
    let names = |record: &serde_json::Value| {
        record["resourceId"].as_str().unwrap_or_default().to_ascii_lowercase().contains(&subscription)
    };
    let records: Vec<_> = three.azure.simulator.take_events().into_iter().filter(names).collect();
    let batch = vec![serde_json::json!({"records": records}).to_string()];
    let project = three.gcp.simulator.make("new-shop");
    let pushes: Vec<String> =
        three.gcp.simulator.take_events().iter().map(|entry| pushed(entry).to_string()).collect();

    let Functions { mut lambda, host, service, _queues } = Functions::start(three, deployment).await;
    // What takes a cloud a while is looked at again; a delivery that comes again does that too.
    let mut lives = [None; 3];
    for _ in 0..10 {
        let on_gcp = async {
            for push in &pushes {
                let answer = service.post("/", &[("content-type", "application/json")], push).await.unwrap();
                assert!(answer.acknowledges(), "{answer:?}");
            }
        };
        let (on_aws, on_azure, ()) = tokio::join!(
            lambda.invoke(&created, Duration::from_secs(60)),
            host.invoke_event_hub("activity", &batch),
            on_gcp
        );
        assert!(matches!(on_aws, Invocation::Answer(_)), "{on_aws:?}");
        assert!(matches!(on_azure, Invoked::Succeeded(_)), "{on_azure:?}");
        lives = [
            three.aws.record(&account).await.map(|record| record.life),
            three.azure.record(&subscription).await.map(|record| record.life),
            three.gcp.record(&project).await.map(|record| record.life),
        ];
        if lives == [Some(Life::HandedOver); 3] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let said = [lambda.end().await, host.end().await, service.end().await];
    assert_eq!(lives, [Some(Life::HandedOver); 3], "{said:#?}");
    for (stage_is_whole, id) in [
        (three.aws.history_is_whole(&account).await, &account),
        (three.azure.history_is_whole(&subscription).await, &subscription),
        (three.gcp.history_is_whole(&project).await, &project),
    ] {
        assert!(stage_is_whole, "{id}");
    }
    for store in [&three.aws.engine.store, &three.azure.engine.store, &three.gcp.engine.store] {
        let deliveries = store.list("deliveries", None, 10).await.unwrap();
        assert!(!deliveries.is_empty(), "{}", store.describe());
    }
}

fn bundle() -> Bundle {
    Bundle::build(stage::manifest(ALL)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_three_real_functions_work_at_once_on_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let store = Arc::new(SqliteStore::open(folder.path().join("landfall.db")).await.unwrap());
    let three = Three::on([0; 3].map(|_| store.clone() as Arc<dyn Store>)).await;
    std::fs::write(place("bundle.json"), bundle().bytes()).unwrap();
    let queues = StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let deployed = |program: PathBuf, more: Vec<(&'static str, String)>| {
        let all = [
            ("LANDFALL_MANIFEST", place("bundle.json")),
            ("LANDFALL_STORE", format!("sqlite:{}", place("landfall.db"))),
        ];
        Deployed { program, environment: all.into_iter().chain(more).collect() }
    };
    let storage = vec![("LANDFALL_AZURE_STORAGE", queues.url()), ("LANDFALL_QUEUE", queues.create(WORK))];
    let deployment = Deployment {
        aws: deployed(function_binary(), vec![]),
        azure: deployed(azure_function_binary(), storage),
        app: root().join("functions/azure/app"),
        gcp: deployed(gcp_function_binary(), vec![]),
    };
    a_new_tenant_on_each_is_handed_over(&three, deployment).await;
    let deliveries = store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 3, "{deliveries:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_packages_that_are_deployed_do_the_same_each_on_its_own_cloud_s_storage() {
    let unpacked = packages::unpacked();
    let program = |cloud: &str, name: &str| unpacked.join(cloud).join(name);
    let (moto, azurite, gcs) = (Moto::start(), Azurite::start(), Gcs::start());

    // The same address for the stage, which looks, and for the function, which works.
    let verdict = python("prepare_moto.py", &[moto.url(), "organization"], "");
    assert!(verdict.content, "{}", verdict.complained);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bundle().bytes()).unwrap();
    let put = python("prepare_moto.py", &[moto.url(), "put", "bundle.json", text(file.path())], "");
    assert!(put.content, "{}", put.complained);
    let in_s3 = "s3://acme-landfall/landfall";
    let container = azurite.create_container("landfall");
    let bucket = gcs.create_bucket("acme-landfall");
    let stores: [Arc<dyn Store>; 3] = [
        Arc::new(Aws::loopback(moto.url(), "eu-central-1").await.unwrap().store(in_s3).unwrap()),
        Arc::new(
            Azure::loopback_with_storage("http://127.0.0.1:9", azurite.blob())
                .unwrap()
                .store(&format!("{container}/store"))
                .unwrap(),
        ),
        Arc::new(
            Gcp::loopback_with_storage("http://127.0.0.1:9", gcs.url())
                .unwrap()
                .store(&format!("{bucket}/store"))
                .await
                .unwrap(),
        ),
    ];
    let three = Three::on(stores).await;
    let at = |name: &'static str, place: String| (name, place);
    let deployment = Deployment {
        aws: Deployed {
            program: program("aws", "bootstrap"),
            environment: vec![
                at("AWS_ENDPOINT_URL_S3", moto.url().to_owned()),
                at("LANDFALL_MANIFEST", "s3://acme-landfall/bundle.json".to_owned()),
                at("LANDFALL_STORE", in_s3.to_owned()),
            ],
        },
        azure: Deployed {
            program: program("azure", "landfall-function-azure"),
            environment: vec![
                at("LANDFALL_AZURE_STORAGE", azurite.blob().to_owned()),
                at("LANDFALL_QUEUE", azurite.create_queue(WORK)),
                at("LANDFALL_MANIFEST", azurite.put("landfall", "bundle.json", bundle().bytes())),
                at("LANDFALL_STORE", format!("{container}/store")),
            ],
        },
        app: unpacked.join("azure"),
        gcp: Deployed {
            program: program("gcp", "landfall-function-gcp"),
            environment: vec![
                at("LANDFALL_GCP_STORAGE", gcs.url().to_owned()),
                at("LANDFALL_MANIFEST", gcs.put("acme-landfall", "bundle.json", bundle().bytes())),
                at("LANDFALL_STORE", format!("{bucket}/store")),
            ],
        },
    };
    a_new_tenant_on_each_is_handed_over(&three, deployment).await;
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
