//! The templates of `infra/azure`: each resource is one that Microsoft's own client packages describe, each waits for what it needs, and
//! what Landfall reads of its environment is what the template sets; and the checkers that say so can fail.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod faults;
mod ours;

use landfall_model::manifest::statement::keygen;
use landfall_tests::judges::{python, root};
use serde_json::{Value, json};

/// One template as somebody deploys it.
#[derive(Debug, Clone)]
struct Deployment {
    template: Value,
    parameters: Value,
    environment: &'static str,
}

const WHO: &str = "5c0e0000-0000-4000-8000-000000000001";
const CLOUDS: [&str; 3] = ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"];

fn controller() -> Deployment {
    let keys = keygen(&ring::rand::SystemRandom::new()).unwrap().public.to_string();
    deployment("controller", json!({"publicKeys": keys}))
}

fn directory() -> Deployment {
    deployment(
        "directory",
        json!({"readPrincipalId": WHO, "writePrincipalId": WHO, "eventHubRule": "/subscriptions/s/rule"}),
    )
}

fn deployment(name: &str, parameters: Value) -> Deployment {
    let text = std::fs::read_to_string(root().join(format!("infra/azure/{name}.json"))).unwrap();
    Deployment { template: serde_json::from_str(&text).unwrap(), parameters, environment: "AzureCloud" }
}

impl Deployment {
    fn with(mut self, name: &str, value: Value) -> Self {
        self.parameters[name] = value;
        self
    }

    /// The first resource of a type whose name has this in it.
    fn resource(&mut self, kind: &str, name: &str) -> &mut Value {
        let resources = self.template["resources"].as_array_mut().unwrap();
        let mut of = resources.iter_mut().filter(|one| one["type"] == kind);
        of.find(|one| one["name"].as_str().unwrap().contains(name)).unwrap()
    }

    fn setting(&mut self, name: &str) -> &mut Value {
        let settings =
            &mut self.resource("Microsoft.Web/sites", "")["properties"]["siteConfig"]["appSettings"];
        settings.as_array_mut().unwrap().iter_mut().find(|one| one["name"] == name).unwrap()
    }
}

/// What is wrong with each deployment: what the packages say, then what we ask of ourselves.
fn judged(deployments: &[Deployment]) -> Vec<Vec<String>> {
    let lines: String = deployments
        .iter()
        .map(|Deployment { template, parameters, environment }| {
            json!({"template": template, "parameters": parameters, "environment": environment})
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let verdict = python("check_templates.py", &[], &lines);
    let last = verdict.said.lines().last().unwrap_or_default();
    let results: Vec<Value> =
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{}{}", verdict.said, verdict.complained));
    assert_eq!(results.len(), deployments.len());
    let said = verdict.said.lines().filter(|line| line.starts_with("line ")).count();
    assert_eq!(verdict.content, said == 0, "{}", verdict.complained);
    let judged = results.iter().zip(deployments).enumerate().map(|(number, (result, deployment))| {
        let at = format!("line {}: ", number + 1);
        let theirs = verdict.said.lines().filter_map(|line| line.strip_prefix(&at));
        theirs.map(str::to_owned).chain(ours::against(result, deployment.environment)).collect()
    });
    judged.collect()
}

#[test]
fn the_templates_are_right_wherever_and_however_they_are_deployed() {
    let mut deployments = Vec::new();
    for environment in CLOUDS {
        let plain = [controller(), directory()];
        let other = [
            controller()
                .with("activityLog", json!(false))
                .with("immutableDays", json!(365))
                .with("package", json!("https://releases.acme.example/landfall.zip"))
                .with("alertEmails", json!(["platform@acme.example", "security@acme.example"]))
                .with("eventHubTier", json!("Standard")),
            controller()
                .with("store", json!("gs://acme-landfall/store"))
                .with("bundle", json!("gs://acme-landfall/bundle.json"))
                .with(
                    "storeIdentity",
                    json!(
                        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
                    ),
                ),
            directory().with("eventHubRule", json!("")).with("writeCondition", json!("(a) OR (b)")),
        ];
        let all = plain.into_iter().chain(other);
        deployments.extend(all.map(|deployment| Deployment { environment, ..deployment }));
    }
    for (deployment, found) in deployments.iter().zip(judged(&deployments)) {
        assert!(found.is_empty(), "{} {}: {found:#?}", deployment.environment, deployment.parameters);
    }
}

#[test]
fn every_fault_of_a_template_is_found() {
    let (mut disturbed, mut expected) = (Vec::new(), Vec::new());
    for (what, whole, fault, said) in faults::all() {
        let mut deployment = whole();
        let before = deployment.template.clone();
        fault(&mut deployment);
        assert!(deployment.template != before || deployment.parameters != whole().parameters, "{what}");
        disturbed.push(deployment);
        expected.push((what, said));
    }
    for ((what, said), found) in expected.iter().zip(judged(&disturbed)) {
        assert!(found.iter().any(|one| one.contains(said)), "{what}: expected `{said}`, said {found:#?}");
    }
    println!("{} faults were found", expected.len());
}
