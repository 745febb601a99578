use serde_json::{Value, json};

use crate::client::{Client, MEMBER, document, simulator};

const ROOT: &str = "r-ab12";

#[test]
fn a_list_comes_in_pages_of_at_most_twenty() {
    let simulator = simulator(45);
    let client = Client::new(&simulator);
    let (accounts, pages) = client.pages("ListAccounts", "Accounts", json!({}));
    assert_eq!((accounts.len(), pages), (46, 3));
    let (accounts, pages) =
        client.pages("ListAccountsForParent", "Accounts", json!({"ParentId": ROOT, "MaxResults": 7}));
    assert_eq!((accounts.len(), pages), (46, 7));
    let invited = accounts.iter().filter(|account| account["JoinedMethod"] == "INVITED").count();
    assert_eq!(invited, 2, "the management account and the acquired one");
    let too_many = client.organizations("ListAccounts", &json!({"MaxResults": 21}));
    assert_eq!(too_many.code(), "InvalidInputException");
    let stale = client.organizations("ListAccounts", &json!({"NextToken": "garbage"}));
    assert_eq!(stale.code(), "InvalidInputException");
}

#[test]
fn an_empty_page_is_not_the_end() {
    let simulator = simulator(25);
    simulator.edit(|world| world.settings.empty_pages = true);
    let client = Client::new(&simulator);
    let first = client.organizations("ListAccounts", &json!({})).json();
    assert_eq!(first["Accounts"], json!([]));
    assert!(first["NextToken"].is_string());
    let (accounts, pages) = client.pages("ListAccounts", "Accounts", json!({}));
    assert_eq!((accounts.len(), pages), (26, 3));
}

#[test]
fn the_tree_refuses_what_aws_refuses() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let unit = |name: &str, parent: &str| {
        client.organizations("CreateOrganizationalUnit", &json!({"ParentId": parent, "Name": name}))
    };
    let created = unit("Workloads", ROOT).json();
    let id = created["OrganizationalUnit"]["Id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("ou-ab12-") && id.len() == 16, "{id}");
    assert_eq!(unit("Workloads", ROOT).code(), "DuplicateOrganizationalUnitException");
    assert_eq!(unit("Workloads", &id).status, 200, "cousins may share a name");
    assert_eq!(unit("x", "ou-ab12-00000000").code(), "ParentNotFoundException");
    let go = |from: &str, to: &str| {
        let body = json!({"AccountId": MEMBER, "SourceParentId": from, "DestinationParentId": to});
        client.organizations("MoveAccount", &body)
    };
    assert_eq!(go("ou-ab12-00000000", &id).code(), "SourceParentNotFoundException");
    assert_eq!(go(ROOT, "ou-ab12-00000000").code(), "DestinationParentNotFoundException");
    assert_eq!(go(ROOT, &id).status, 200);
    assert_eq!(go(ROOT, &id).code(), "DuplicateAccountException");
    let parents = client.organizations("ListParents", &json!({"ChildId": MEMBER})).json();
    assert_eq!(parents["Parents"], json!([{"Id": id, "Type": "ORGANIZATIONAL_UNIT"}]));
}

#[test]
fn policies_have_a_size_a_shape_and_a_number() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let create = |name: &str, content: &str| {
        let body =
            json!({"Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": content});
        client.organizations("CreatePolicy", &body)
    };
    let large = create("large", &document(10_400));
    assert_eq!(large.code(), "ConstraintViolationException");
    assert_eq!(large.json()["Reason"], "POLICY_CONTENT_LIMIT_EXCEEDED");
    assert_eq!(create("broken", "{").code(), "MalformedPolicyDocumentException");
    assert_eq!(create("empty", r#"{"Version":"2012-10-17"}"#).code(), "MalformedPolicyDocumentException");
    let attach = |policy: &Value| {
        client.organizations("AttachPolicy", &json!({"PolicyId": policy, "TargetId": MEMBER}))
    };
    for n in 0..9 {
        let policy =
            create(&format!("policy-{n}"), &document(200)).json()["Policy"]["PolicySummary"]["Id"].clone();
        assert_eq!(attach(&policy).status, 200, "FullAWSAccess and {n} more fit");
        assert_eq!(attach(&policy).code(), "DuplicatePolicyAttachmentException");
    }
    assert_eq!(create("policy-1", &document(200)).code(), "DuplicatePolicyException");
    let one_more = create("policy-9", &document(200)).json()["Policy"]["PolicySummary"]["Id"].clone();
    let refused = attach(&one_more);
    assert_eq!(refused.json()["Reason"], "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    assert_eq!(attach(&json!("p-00000000")).code(), "PolicyNotFoundException");
    let detached = client.organizations("DetachPolicy", &json!({"PolicyId": one_more, "TargetId": MEMBER}));
    assert_eq!(detached.code(), "PolicyNotAttachedException");
}

#[test]
fn a_policy_type_must_be_enabled_first_and_only_once() {
    let simulator = simulator(1);
    simulator.edit(|world| world.organization.root.policy_types.clear());
    let client = Client::new(&simulator);
    let attach = json!({"PolicyId": "p-RCPFullAWSAccess", "TargetId": MEMBER});
    assert_eq!(client.organizations("AttachPolicy", &attach).code(), "PolicyTypeNotEnabledException");
    let enable = json!({"RootId": ROOT, "PolicyType": "RESOURCE_CONTROL_POLICY"});
    assert_eq!(client.organizations("EnablePolicyType", &enable).status, 200);
    assert_eq!(client.organizations("EnablePolicyType", &enable).code(), "PolicyTypeAlreadyEnabledException");
    assert_eq!(client.organizations("AttachPolicy", &attach).code(), "DuplicatePolicyAttachmentException");
}

#[test]
fn an_organization_that_is_not_in_use_says_so() {
    let simulator = simulator(0);
    simulator.edit(|world| world.organization.in_use = false);
    let answer = Client::new(&simulator).organizations("ListAccounts", &json!({}));
    assert_eq!(answer.code(), "AWSOrganizationsNotInUseException");
}

#[test]
fn a_thousand_accounts_are_answered_quickly() {
    let simulator = simulator(3_000);
    let client = Client::new(&simulator);
    let begun = std::time::Instant::now();
    let (accounts, pages) = client.pages("ListAccounts", "Accounts", json!({}));
    assert_eq!((accounts.len(), pages), (3_001, 151));
    // A new connection for each page, a debug build and a busy machine: a bound on madness, not a benchmark.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
