use landfall_simulator::{Breakage, Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Client, MEMBER, simulator};

#[test]
fn another_process_can_look_break_and_set_faults() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    client.organizations("ListRoots", &json!({}));
    let calls = client.control("GET", "calls", "").json();
    assert_eq!(calls.as_array().unwrap().len(), 1, "the control door is not logged");
    assert_eq!(calls[0]["operation"], "ListRoots");
    let created = client.control("POST", "accounts", r#"{"name":"born","joined":"CREATED"}"#).json();
    let id = created["id"].as_str().unwrap();
    let world = client.control("GET", "world", "").json();
    assert_eq!(world["organization"]["members"][id]["joined"], "CREATED");
    assert_eq!(client.control("GET", "events", "").json().as_array().unwrap().len(), 1);
    assert_eq!(client.control("GET", "events", "").json(), json!([]));
    assert_eq!(client.control("POST", "faults", "throttle=1").status, 200);
    assert_eq!(client.organizations("ListRoots", &json!({})).code(), "TooManyRequestsException");
    let wrong = client.control("POST", "faults", "throttle=3");
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["error"], "`throttle=3` must be a share between 0 and 1");
    assert_eq!(client.control("POST", "faults", "").status, 200);
    assert_eq!(client.control("POST", "settings", r#"{"empty_pages":true}"#).json()["empty_pages"], true);
    assert_eq!(client.organizations("ListAccounts", &json!({})).json()["Accounts"], json!([]));
    assert_eq!(client.control("POST", "settings", r#"{"speed":1}"#).status, 400);
    assert_eq!(client.control("GET", "nothing", "").status, 404);
}

#[test]
fn everything_that_can_be_broken_can_be_broken() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    for (name, _) in Breakage::all() {
        let answer = client.control("POST", "break", &json!({"account": MEMBER, "what": name}).to_string());
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
    simulator.edit(|world| {
        let account = world.account_mut(MEMBER).unwrap();
        assert!(account.root_keys && !account.root_mfa && account.public_access_block.is_none());
        let region = account.region("eu-central-1");
        assert!(!region.ebs_encryption && region.network_interfaces.len() == 1);
    });
    let one = json!({"account": MEMBER, "what": "ebs-encryption", "region": "nowhere"}).to_string();
    assert_eq!(client.control("POST", "break", &one).json()["error"], "there is no region `nowhere`");
    let unknown = client.control("POST", "break", &json!({"account": MEMBER, "what": "x"}).to_string());
    assert!(
        unknown.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("`x` can't be broken, expected one of password-policy")
    );
}

#[test]
fn the_log_has_one_line_for_every_call() {
    let path = std::env::temp_dir().join(format!("landfall-simulator-log-{}", std::process::id()));
    let simulator =
        Simulator::start(Options { accounts: 1, log: Some(path.clone()), ..Options::default() }).unwrap();
    let client = Client::new(&simulator);
    client.query("ec2", "eu-central-1", "DescribeVpcs", "Filter.1.Name=is-default&Filter.1.Value.1=true");
    client.rest("POST", "/getAlternateContact", "account", &json!({"AlternateContactType": "SALES"}));
    simulator.stop();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["parameters"], json!({"Filter.1.Name": "is-default", "Filter.1.Value.1": "true"}));
    assert_eq!(
        (&lines[0]["service"], &lines[0]["region"], &lines[0]["n"]),
        (&json!("ec2"), &json!("eu-central-1"), &json!(1))
    );
    assert_eq!(lines[1]["operation"], "GetAlternateContact");
    assert_eq!(lines[1]["parameters"], json!({"AlternateContactType": "SALES"}));
    assert_eq!((&lines[1]["status"], &lines[1]["error"]), (&json!(400), &json!("ValidationException")));
}

#[test]
fn the_sample_is_the_same_every_time() {
    use landfall_simulator::World;
    let text = |world: &World| serde_json::to_string(world).unwrap();
    let world = World::sample(9);
    assert_eq!(text(&world), text(&World::sample(9)));
    assert!(world.account("222222222223").unwrap().password_policy.is_none());
    assert!(world.account("222222222226").unwrap().root_keys);
    assert_eq!(world.organization.members["222222222230"].name, "acquired");
}
