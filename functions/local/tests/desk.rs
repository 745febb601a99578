//! A desk with a simulated cloud: the commands that look and write, one after the other, as a person would use them.

#![expect(clippy::unwrap_used, reason = "a test; what can't be read fails it")]

use std::path::Path;
use std::process::{Command, Output};

use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use landfall_simulator::gcp::{CONTROLLER_PROJECT, GcpBreakage, GcpOptions, GcpSimulator};
use landfall_simulator::{Options, Simulator};

struct Desk<S = Simulator> {
    place: tempfile::TempDir,
    simulator: S,
    environment: Vec<(&'static str, String)>,
}

/// The subscription that the manifest of `init` names, once its lines of Azure are followed; and the project, once those of Google Cloud.
const SUBSCRIPTION: &str = "azure/3f2c0000-0000-4000-8000-000000000002";
const PROJECT: &str = "gcp/team-0001";

impl Desk {
    fn new() -> Self {
        let simulator = Simulator::start(Options { accounts: 4, ..Options::default() }).unwrap();
        let environment = vec![
            ("AWS_ENDPOINT_URL", simulator.url()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
        ];
        // Without people to let in: the simulated identity provider has no groups.
        let nobody = "    access: { developer: [payments] } # role: the teams that hold it here\n";
        Desk::of(simulator, environment, |manifest| manifest.replace(nobody, ""))
    }
}

impl Desk<AzureSimulator> {
    fn on_azure() -> Self {
        let mut world = AzureWorld::sample(3);
        world.add_principal("5a0e0000-0000-4000-8000-00000000000a", "Group", "payments-developers");
        // What takes Azure a while is asked for again at once.
        world.settings.retry_after = 0;
        let options = AzureOptions { world: Some(world), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options).unwrap();
        let environment = vec![
            ("LANDFALL_AZURE_ENDPOINT", simulator.url()),
            // Its manifest has both clouds.
            ("LANDFALL_CLOUD", "azure".to_owned()),
        ];
        Desk::of(simulator, environment, |manifest| {
            reachable(&with(manifest, "azure"), "cis-azure-3.0/3.1.13")
        })
    }
}

impl Desk<GcpSimulator> {
    /// As `landfall simulate --cloud gcp` would serve it.
    fn on_gcp() -> Self {
        let options = GcpOptions { projects: 3, ..GcpOptions::default() };
        let simulator = GcpSimulator::start(options).unwrap();
        let environment = vec![
            ("LANDFALL_GCP_ENDPOINT", simulator.url()),
            // Its manifest has both clouds.
            ("LANDFALL_CLOUD", "gcp".to_owned()),
        ];
        Desk::of(simulator, environment, |manifest| reachable(&with(manifest, "gcp"), "cis-gcp-3.0/1.16"))
    }
}

/// The manifest of `init` with its lines of another cloud: without the `#` right before a word.
fn with(manifest: &str, cloud: &str) -> String {
    // Whose part the lines are in that are one level deeper.
    let mut inside = false;
    let mut followed = |line: &str| match line.trim_start().strip_prefix('#') {
        Some(rest) if rest.starts_with("  ") => inside,
        Some(rest) => {
            inside = rest == format!("{cloud}:");
            rest.trim_start_matches("- { ").starts_with(&format!("{cloud}:"))
        }
        None => false,
    };
    manifest
        .lines()
        .map(|line| if followed(line) { line.replacen('#', "", 1) + "\n" } else { format!("{line}\n") })
        .collect()
}

/// With contacts for security, which answer this clause.
fn reachable(manifest: &str, clause: &str) -> String {
    let (controls, listed) = ("  no-public-storage: {", "      - no-public-storage\n");
    let control = format!("  reachable: {{ control: security-contacts, satisfies: [{clause}] }}\n{controls}");
    manifest.replace(controls, &control).replace(listed, &format!("      - reachable\n{listed}"))
}

impl<S> Desk<S> {
    /// A desk with a manifest as `init` writes it, and as somebody goes on with it.
    fn of(simulator: S, environment: Vec<(&'static str, String)>, edit: impl Fn(&str) -> String) -> Self {
        let desk = Desk { place: tempfile::tempdir().unwrap(), simulator, environment };
        assert_eq!(desk.run("init org").code(), 0);
        let manifest = desk.place.path().join("org/landfall.yaml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, edit(&text)).unwrap();
        desk
    }

    fn run(&self, line: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
        command
            .current_dir(self.place.path())
            .args(line.split_whitespace())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if !line.starts_with("init") {
            command.env("LANDFALL_MANIFEST", "org");
        }
        Said(line.to_owned(), command.output().unwrap())
    }

    fn has(&self, file: &str) -> bool {
        Path::new(self.place.path()).join(file).exists()
    }
}

struct Said(String, Output);

impl Said {
    fn code(&self) -> i32 {
        self.1.status.code().unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.1.stdout.clone()).unwrap()
    }

    /// Fails with everything that was said.
    #[track_caller]
    fn expect(&self, code: i32, part: &str) {
        let err = String::from_utf8_lossy(&self.1.stderr);
        let said = format!("{}\n{}{err}", self.0, self.out());
        assert_eq!(self.code(), code, "{said}");
        assert!(self.out().contains(part) || err.contains(part), "`{part}` is not in:\n{said}");
    }
}

#[test]
fn from_the_first_plan_to_a_clean_one() {
    let desk = Desk::new();
    desk.run("doctor").expect(0, "nothing was written");
    desk.run("doctor").expect(0, "accounts looked at");
    desk.run("plan").expect(2, "+ units/workloads");
    assert!(!desk.has("landfall.db"), "who only looks makes no store");
    let wrote = |call: &landfall_simulator::Call| {
        !["Get", "List", "Describe", "AssumeRole"].iter().any(|word| call.operation.starts_with(word))
    };
    assert!(!desk.simulator.calls().iter().any(wrote), "nothing was written yet");

    desk.run("sweep").expect(0, "closed: 6 targets");
    desk.run("plan").expect(0, "0 changes to make");
    desk.run("status").expect(0, "0 need a person");
    desk.run("explain aws/222222222222 strong-passwords").expect(0, "cis-aws-3.0/1.8");
    desk.run("explain aws/222222222222 passwords").expect(1, "`strong-passwords`");
    desk.run("explain aws/222222222222 strong-paswords").expect(1, "did you mean `strong-passwords`?");

    desk.simulator.edit(|world| world.account_mut("222222222222").unwrap().password_policy = None);
    desk.run("plan aws/222222222222").expect(2, "+ password-policy/account");
    desk.run("apply aws/222222222222 --limit changes=0").expect(2, "NOT DONE: the plan was refused");
    desk.run("apply aws/222222222222 --limit changes=0").expect(2, "--limit changes=1");
    desk.run("apply aws/222222222222").expect(0, "1 of 1 changes made");
    desk.run("plan aws/222222222222").expect(0, "nothing to change");
    desk.run("ledger show aws/222222222222").expect(0, "password-policy/account");
    desk.run("ledger verify").expect(0, "nothing is missing, doubled or altered");
    desk.run("status aws/222222222299").expect(1, "did you mean `aws/222222222222`?");
}

#[test]
fn a_sweep_of_one_unit_repairs_what_is_there_and_says_that_it_was_no_more() {
    let desk = Desk::new();
    desk.run("sweep").expect(0, "closed: 6 targets");
    desk.run("sweep --unit workloads/test").expect(1, "the manifest has no unit `workloads/test`");
    desk.run("sweep --unit workloads/test").expect(1, "it has `workloads`, `workloads/development`");
    desk.simulator.edit(|world| world.account_mut("222222222222").unwrap().password_policy = None);
    desk.run("sweep --unit workloads/development").expect(0, "0 targets, 0 changes made");
    desk.run("plan aws/222222222222").expect(2, "+ password-policy/account");
    let unit = "of the unit `workloads/production` closed: 1 targets, 1 changes made";
    desk.run("sweep --unit workloads/production").expect(0, unit);
    desk.run("plan aws/222222222222").expect(0, "nothing to change");
    desk.run("status").expect(0, "aws: only the unit `workloads/production` was swept at ");
    desk.run("sweep").expect(0, "closed: 6 targets");
    assert!(!desk.run("status").out().contains("only the unit"), "a whole sweep has them all");
}

#[test]
fn from_the_first_plan_to_a_clean_one_on_azure() {
    let desk = Desk::on_azure();
    desk.run("check org").expect(0, "acme is well-formed");
    desk.run("doctor").expect(0, "nothing was written");
    desk.run("doctor").expect(0, "3 of 3 subscriptions looked at");
    desk.run("plan").expect(2, "+ units/workloads");
    assert!(!desk.has("landfall.db"), "who only looks makes no store");
    let wrote =
        |call: &landfall_simulator::Call| call.method != "GET" && !call.operation.contains("summarize");
    assert!(!desk.simulator.calls().iter().any(wrote), "nothing was written yet");

    desk.run("sweep").expect(0, "closed: 4 targets");
    desk.run("plan").expect(0, "0 changes to make");
    desk.run("doctor").expect(0, "are born in `acme-quarantine`, behind the gate");
    desk.run("status").expect(0, SUBSCRIPTION);
    desk.run(&format!("explain {SUBSCRIPTION} reachable")).expect(0, "cis-azure-3.0/3.1.13");
    desk.run(&format!("explain {SUBSCRIPTION} strong-passwords")).expect(0, "Entra ID");

    desk.simulator.edit(|world| {
        world.subscription_mut("3f2c0000-0000-4000-8000-000000000002").unwrap().security_contacts.clear();
    });
    desk.run(&format!("plan {SUBSCRIPTION}")).expect(2, "+ security-contacts/default");
    desk.run(&format!("apply {SUBSCRIPTION} --limit changes=0")).expect(2, "NOT DONE: the plan was refused");
    desk.run(&format!("apply {SUBSCRIPTION}")).expect(0, "1 of 1 changes made");
    desk.run(&format!("plan {SUBSCRIPTION}")).expect(0, "nothing to change");
    desk.run(&format!("ledger show {SUBSCRIPTION}")).expect(0, "security-contacts/default");
    desk.run("ledger verify").expect(0, "nothing is missing, doubled or altered");
}

#[test]
fn from_the_first_plan_to_a_clean_one_on_google_cloud() {
    let desk = Desk::on_gcp();
    desk.run("check org").expect(0, "acme is well-formed");
    desk.run("doctor").expect(0, "nothing was written");
    desk.run("doctor").expect(0, "1 folders and 4 projects are seen");
    desk.run("plan").expect(2, "+ units/workloads");
    assert!(!desk.has("landfall.db"), "who only looks makes no store");
    let looks = [":getIamPolicy", ":search", ":getEffectivePolicy"];
    let wrote = |call: &landfall_simulator::Call| {
        call.method != "GET" && !looks.iter().any(|look| call.path.ends_with(look))
    };
    assert!(!desk.simulator.calls().iter().any(wrote), "nothing was written yet");

    desk.run("sweep").expect(0, "closed: 5 targets");
    desk.run("plan").expect(0, "0 changes to make");
    desk.run("status").expect(0, PROJECT);
    desk.run(&format!("explain {PROJECT} reachable")).expect(0, "cis-gcp-3.0/1.16");
    desk.run(&format!("explain {PROJECT} strong-passwords")).expect(0, "Cloud Identity");

    desk.simulator.edit(|world| world.damage("team-0001", GcpBreakage::Contacts)).unwrap();
    desk.run(&format!("plan {PROJECT}")).expect(2, "+ security-contacts/");
    desk.run(&format!("apply {PROJECT} --limit changes=0")).expect(2, "NOT DONE: the plan was refused");
    desk.run(&format!("apply {PROJECT}")).expect(0, "3 of 3 changes made");
    desk.run(&format!("plan {PROJECT}")).expect(0, "nothing to change");
    desk.run(&format!("ledger show {PROJECT}")).expect(0, "security-contacts/");
    desk.run("ledger verify").expect(0, "nothing is missing, doubled or altered");
}

#[test]
fn a_wrong_target_on_google_cloud_is_answered_with_what_was_meant() {
    let desk = Desk::on_gcp();
    desk.run("plan gcp/team-001").expect(1, &format!("did you mean `{PROJECT}`?"));
    desk.run("plan organisation/gcp").expect(1, "did you mean `organization/gcp`?");
    desk.run("plan gcp/acme-nobody").expect(1, "neither the manifest nor the organization has");
    desk.run("plan --cloud gpc").expect(1, "did you mean `gcp`?");
    desk.run(&format!("plan {SUBSCRIPTION}")).expect(1, "azure");
}

#[test]
fn the_doctor_says_what_is_missing_on_google_cloud() {
    for (what, disturb, told) in [
        (
            "an API that is called is not enabled where Landfall works",
            (|desk| {
                let taken = "essentialcontacts.googleapis.com";
                desk.simulator
                    .edit(|world| world.project_mut(CONTROLLER_PROJECT).unwrap().services.remove(taken));
            }) as fn(&Desk<GcpSimulator>),
            "`gcloud services enable essentialcontacts.googleapis.com --project acme-landfall`",
        ),
        (
            "the organization may not be seen",
            |desk| {
                let faults = "deny=cloudresourcemanager:organizations.get".parse().unwrap();
                desk.simulator.set_faults(faults);
            },
            "let the account that reads see the organization, or correct `clouds.gcp.organization`",
        ),
        (
            "its projects may not",
            |desk| desk.simulator.set_faults("deny=cloudresourcemanager:projects.search".parse().unwrap()),
            "let the account that reads see all folders and projects: infra/gcp/README.md",
        ),
        (
            "a project of the manifest is not there",
            |desk| desk.simulator.edit(|world| world.projects.retain(|_, one| one.id != "team-0001")),
            "the organization does not have it",
        ),
    ] {
        let desk = Desk::on_gcp();
        disturb(&desk);
        let said = desk.run("doctor");
        assert!(said.out().contains(told), "{what}: `{told}` is not in:\n{}", said.out());
        said.expect(2, told);
        assert!(!desk.has("landfall.db"), "{what}");
    }
}

#[test]
fn a_wrong_target_on_azure_is_answered_with_what_was_meant() {
    let desk = Desk::on_azure();
    let id = SUBSCRIPTION.strip_prefix("azure/").unwrap();
    desk.run(&format!("plan {id}")).expect(1, &format!("write `{SUBSCRIPTION}`"));
    desk.run("plan azure/3f2c0000-0000-4000-8000-00000000002")
        .expect(1, &format!("did you mean `{SUBSCRIPTION}`?"));
    desk.run("plan organisation/azure").expect(1, "did you mean `organization/azure`?");
    desk.run("plan azure/3f2c0000-0000-4000-8000-00000000ffff")
        .expect(1, "neither the manifest nor the organization has");
    desk.run("plan --cloud azur").expect(1, "did you mean `azure`?");
    desk.run("plan organization/aws").expect(1, "`organization/aws`");
}

#[test]
fn a_cloud_that_can_t_be_reached_costs_that_cloud() {
    let mut desk = Desk::on_azure();
    desk.environment.retain(|(name, _)| *name != "LANDFALL_CLOUD");
    desk.environment.extend([
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
    ]);
    let said = desk.run("sweep");
    said.expect(1, "the cloud `aws`");
    said.expect(1, "closed: 4 targets");
}

#[test]
fn the_doctor_says_what_is_missing_on_azure() {
    let desk = Desk::on_azure();
    desk.simulator.set_faults("deny=Microsoft.Management:managementGroups/read".parse().unwrap());
    desk.run("doctor").expect(2, "give the identity that reads `Reader` on the management group");
    desk.simulator.set_faults("".parse().unwrap());
    desk.simulator.edit(|world| world.subscriptions.remove("3f2c0000-0000-4000-8000-000000000002"));
    desk.run("doctor").expect(2, "the organization does not have it");
    assert!(!desk.has("landfall.db"));
}

#[test]
fn the_doctor_says_which_role_is_missing() {
    let desk = Desk::new();
    desk.simulator.edit(|world| {
        world.account_mut("222222222223").unwrap().roles.remove("landfall-write");
    });
    let said = desk.run("doctor");
    said.expect(2, "make the role `landfall-write` in an account `222222222223`");
    assert!(!desk.has("landfall.db"));
}

#[test]
fn programs_are_told_the_same() {
    let desk = Desk::new();
    let json = |line: &str| -> serde_json::Value {
        let said = desk.run(line);
        serde_json::from_str(&said.out()).unwrap_or_else(|error| panic!("{line}: {error}\n{}", said.out()))
    };
    assert_eq!(json("plan organization/aws --format json")[0]["target"], "organization/aws");
    // One for each cloud of the manifest.
    assert_eq!(json("sweep --format json")[0]["closed"]["targets"], 6);
    assert_eq!(json("status --format json")["targets"].as_array().unwrap().len(), 6);
    assert_eq!(json("apply aws/222222222222 --format json")["reports"][0]["target"], "aws/222222222222");
    assert!(json("ledger verify --format json")[0]["entries"].is_u64());
    assert_eq!(json("doctor --format json")[0]["ok"], true);
}
