use std::time::Duration;

use jiff::Timestamp;
use landfall_simulator::{Options, Simulator};
use serde_json::json;

use crate::client::{Client, MEMBER, simulator};

#[test]
fn an_assumed_role_is_that_role_in_that_account() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(MEMBER, "landfall-write");
    let who = member.query("sts", "us-east-1", "GetCallerIdentity", "");
    assert_eq!(who.between("<Account>", "</Account>"), MEMBER);
    let arn = format!("arn:aws:sts::{MEMBER}:assumed-role/landfall-write/landfall");
    assert_eq!(who.between("<Arn>", "</Arn>"), arn);
    let call = simulator.calls().pop().unwrap();
    assert_eq!((call.account.as_str(), call.role.as_str(), call.n), (MEMBER, "landfall-write", 2));
}

#[test]
fn every_way_not_to_get_a_role_looks_the_same() {
    let simulator =
        Simulator::start(Options { accounts: 3, external_id: Some("secret".into()), ..Options::default() })
            .unwrap();
    simulator.edit(|world| {
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        let role = world.account_mut("222222222223").unwrap().roles.get_mut("landfall-read").unwrap();
        role.available_at = Some(later);
        world.organization.members.get_mut("222222222224").unwrap().state = "SUSPENDED".into();
    });
    let client = Client::new(&simulator);
    for (account, role, id) in [
        (MEMBER, "nobody", Some("secret")),
        (MEMBER, "landfall-read", None),
        (MEMBER, "landfall-read", Some("wrong")),
        ("222222222223", "landfall-read", Some("secret")),
        ("222222222224", "landfall-read", Some("secret")),
        ("999999999999", "landfall-read", Some("secret")),
    ] {
        let answer = client.assume_role(account, role, id);
        assert_eq!((answer.status, answer.code().as_str()), (403, "AccessDenied"), "{account} {role}");
        assert!(
            answer.body.contains("is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::")
        );
    }
    assert_eq!(client.assume_role(MEMBER, "landfall-read", Some("secret")).status, 200);
}

#[test]
fn roles_of_a_new_account_may_lag() {
    let simulator = simulator(0);
    let id = simulator.edit(|world| {
        world.settings.role_delay = Duration::from_secs(3_600);
        world.create_account("new")
    });
    assert_eq!(Client::new(&simulator).assume_role(&id, "landfall-read", None).status, 403);
}

#[test]
fn the_read_only_role_reads_and_nothing_else() {
    let simulator = simulator(2);
    let reader = Client::new(&simulator).assume(MEMBER, "landfall-read");
    assert_eq!(reader.iam("GetAccountPasswordPolicy", "").status, 200);
    let written = reader.iam("DeleteAccountPasswordPolicy", "");
    assert_eq!((written.status, written.code().as_str()), (403, "AccessDenied"));
    let enabled = reader.query("ec2", "us-east-1", "EnableEbsEncryptionByDefault", "");
    assert_eq!((enabled.status, enabled.code().as_str()), (403, "UnauthorizedOperation"));
    let put = reader.rest("POST", "/enableRegion", "account", &json!({"RegionName": "me-central-1"}));
    assert_eq!(put.status, 403);
    assert!(put.head.contains("x-amzn-errortype: AccessDeniedException"), "{}", put.head);
    assert!(simulator.read(|world| world.account(MEMBER).unwrap().password_policy.is_some()));
}

#[test]
fn members_do_not_see_the_organization() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(MEMBER, "landfall-write");
    assert_eq!(member.organizations("ListAccounts", &json!({})).code(), "AccessDeniedException");
}

#[test]
fn a_closed_simulator_gives_its_controller_sts_and_sqs_only() {
    let simulator = Simulator::start(Options { accounts: 1, open: false, ..Options::default() }).unwrap();
    let controller = Client::new(&simulator);
    assert_eq!(controller.organizations("ListRoots", &json!({})).code(), "AccessDeniedException");
    assert_eq!(controller.sqs("CreateQueue", &json!({"QueueName": "work"})).status, 200);
    let manager = controller.assume("111111111111", "landfall-read");
    assert_eq!(manager.organizations("ListRoots", &json!({})).status, 200);
}

#[test]
fn an_unknown_operation_is_refused_in_the_protocols_own_words_and_logged() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let target = client.organizations("LeaveOrganization", &json!({}));
    assert_eq!((target.status, target.code().as_str()), (400, "UnknownOperationException"));
    let action = client.iam("CreateUser", "UserName=x");
    assert_eq!((action.status, action.code().as_str()), (400, "InvalidAction"));
    let action = client.query("ec2", "us-east-1", "RunInstances", "");
    assert_eq!((action.status, action.code().as_str()), (400, "InvalidAction"));
    let path = client.rest("POST", "/nothing", "account", &json!({}));
    assert_eq!(path.status, 400);
    assert!(path.head.contains("x-amzn-errortype: UnknownOperationException"));
    let logged: Vec<(String, Option<u16>)> =
        simulator.calls().into_iter().map(|call| (call.operation, call.status)).collect();
    assert_eq!(logged[0], ("LeaveOrganization".to_owned(), Some(400)));
    assert_eq!(logged[3], ("POST /nothing".to_owned(), Some(400)));
}

#[test]
fn a_busy_port_is_refused() {
    let first = simulator(0);
    let second = Simulator::start(Options { listen: first.address(), ..Options::default() });
    assert!(second.unwrap_err().to_string().starts_with("could not listen on `127.0.0.1:"));
    let address = first.address();
    first.stop();
    Simulator::start(Options { listen: address, ..Options::default() }).unwrap().stop();
}
