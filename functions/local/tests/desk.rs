//! A desk with a simulated cloud: the commands that look and write, one after the other, as a person would use them.

#![expect(clippy::unwrap_used, reason = "a test; what can't be read fails it")]

use std::path::Path;
use std::process::{Command, Output};

use landfall_simulator::{Options, Simulator};

struct Desk {
    place: tempfile::TempDir,
    simulator: Simulator,
}

impl Desk {
    fn new() -> Self {
        let simulator = Simulator::start(Options { accounts: 4, ..Options::default() }).unwrap();
        let place = tempfile::tempdir().unwrap();
        let desk = Desk { place, simulator };
        assert_eq!(desk.run("init org").code(), 0);
        // Without people to let in: the simulated identity provider has no groups.
        let manifest = desk.place.path().join("org/landfall.yaml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(
            &manifest,
            text.replace("    access: { developer: [payments] } # role: the teams that hold it here\n", ""),
        )
        .unwrap();
        desk
    }

    fn run(&self, line: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
        let environment = [
            ("AWS_ENDPOINT_URL", self.simulator.url()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
        ];
        command.current_dir(self.place.path()).args(line.split_whitespace()).env_clear().envs(environment);
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
    assert_eq!(json("status --format json").as_array().unwrap().len(), 6);
    assert_eq!(json("apply aws/222222222222 --format json")["reports"][0]["target"], "aws/222222222222");
    assert!(json("ledger verify --format json")[0]["entries"].is_u64());
    assert_eq!(json("doctor --format json")[0]["ok"], true);
}
