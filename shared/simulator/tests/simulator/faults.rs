use std::time::{Duration, Instant};

use landfall_simulator::Faults;
use serde_json::json;

use crate::client::{Client, MEMBER, simulator};

#[test]
fn a_cut_call_takes_effect_but_nobody_hears_of_it() {
    let simulator = simulator(1);
    let client = Client::new(&simulator).assume(MEMBER, "landfall-write");
    simulator.set_faults("cut=2".parse().unwrap());
    let delete = || client.send("POST", "/", "iam", "us-east-1", "", "Action=DeleteAccountPasswordPolicy");
    let get = || client.send("POST", "/", "iam", "us-east-1", "", "Action=GetAccountPasswordPolicy");
    assert_eq!(get().unwrap().status, 200);
    assert!(delete().is_none());
    assert!(get().is_none(), "and everything after it is cut too");
    assert!(simulator.read(|world| world.account(MEMBER).unwrap().password_policy.is_none()));
    simulator.set_faults(Faults::default());
    assert_eq!(get().unwrap().status, 404);
    assert_eq!(simulator.calls()[2].status, None);
}

#[test]
fn a_call_cut_before_takes_no_effect() {
    let simulator = simulator(1);
    let client = Client::new(&simulator).assume(MEMBER, "landfall-write");
    simulator.set_faults("cut-before=1".parse().unwrap());
    assert!(client.send("POST", "/", "iam", "us-east-1", "", "Action=DeleteAccountPasswordPolicy").is_none());
    assert!(simulator.read(|world| world.account(MEMBER).unwrap().password_policy.is_some()));
}

#[test]
fn every_service_throttles_in_its_own_words() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    simulator.set_faults("throttle=1".parse().unwrap());
    let answer = client.organizations("ListRoots", &json!({}));
    assert_eq!((answer.status, answer.code().as_str()), (400, "TooManyRequestsException"));
    let answer = client.iam("GetAccountSummary", "");
    assert_eq!((answer.status, answer.code().as_str()), (400, "Throttling"));
    let answer = client.query("ec2", "us-east-1", "DescribeVpcs", "");
    assert_eq!((answer.status, answer.code().as_str()), (503, "RequestLimitExceeded"));
    simulator.set_faults("5xx=1".parse().unwrap());
    assert_eq!(client.organizations("ListRoots", &json!({})).status, 503);
}

#[test]
fn the_same_seed_throttles_the_same_calls() {
    let run = || -> Vec<u16> {
        let simulator = simulator(0);
        simulator.set_faults("throttle=0.5,seed=42".parse().unwrap());
        let client = Client::new(&simulator);
        (0..20).map(|_| client.organizations("ListRoots", &json!({})).status).collect()
    };
    let first = run();
    assert!(first.contains(&200) && first.contains(&400));
    assert_eq!(first, run());
}

#[test]
fn a_denial_can_be_aimed_at_one_operation_in_one_account() {
    let simulator = simulator(3);
    let controller = Client::new(&simulator);
    simulator.set_faults(format!("deny=iam:GetAccountPasswordPolicy@{MEMBER}").parse().unwrap());
    let denied = controller.assume(MEMBER, "landfall-read");
    assert_eq!(denied.iam("GetAccountPasswordPolicy", "").code(), "AccessDenied");
    assert_eq!(denied.iam("GetAccountSummary", "").status, 200);
    let other = controller.assume("222222222223", "landfall-read");
    assert_eq!(other.iam("GetAccountPasswordPolicy", "").code(), "NoSuchEntity");
}

#[test]
fn reads_lag_behind_writes_in_the_same_account_only() {
    let simulator = simulator(5);
    let controller = Client::new(&simulator);
    let one = controller.assume(MEMBER, "landfall-write");
    let other = controller.assume("222222222225", "landfall-write");
    simulator.set_faults(Faults { lag: Duration::from_millis(400), ..Faults::default() });
    let length =
        |client: &Client| client.iam("GetAccountPasswordPolicy", "").between("<MinimumPasswordLength>", "<");
    let written = Instant::now();
    one.iam("UpdateAccountPasswordPolicy", "MinimumPasswordLength=20");
    let seen = length(&one);
    assert!(seen == "14" || written.elapsed() >= Duration::from_millis(400), "{seen}");
    other.iam("DeleteAccountPasswordPolicy", "");
    while length(&one) == "14" {
        assert!(written.elapsed() < Duration::from_secs(20), "the lag never ended");
        std::thread::yield_now();
    }
    assert!(written.elapsed() >= Duration::from_millis(400));
    assert_eq!(length(&one), "20");
    assert_eq!(
        simulator.read(|world| world
            .account(MEMBER)
            .unwrap()
            .password_policy
            .clone()
            .unwrap()
            .minimum_length),
        20
    );
}

#[test]
fn the_organization_lags_too() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    simulator.set_faults(Faults { lag: Duration::from_secs(3_600), ..Faults::default() });
    let created = client
        .organizations("CreateOrganizationalUnit", &json!({"ParentId": "r-ab12", "Name": "New"}))
        .json();
    let body = json!({"ParentId": "r-ab12"});
    let list = client.organizations("ListOrganizationalUnitsForParent", &body).json();
    assert_eq!(list["OrganizationalUnits"], json!([]));
    let again = json!({"ParentId": "r-ab12", "Name": "New"});
    let again = client.organizations("CreateOrganizationalUnit", &again);
    assert_eq!(again.code(), "DuplicateOrganizationalUnitException", "writes see the truth");
    let id = created["OrganizationalUnit"]["Id"].as_str().unwrap().to_owned();
    assert!(simulator.read(|world| world.organization.units.contains_key(&id)));
}

#[test]
fn answers_take_their_latency() {
    let simulator = simulator(0);
    simulator.set_faults("latency=60ms".parse().unwrap());
    let begun = Instant::now();
    Client::new(&simulator).organizations("ListRoots", &json!({}));
    assert!(begun.elapsed() >= Duration::from_millis(60));
}
