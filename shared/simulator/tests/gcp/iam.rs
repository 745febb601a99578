//! IAM's first version: service accounts, custom roles, pools of foreign identities.

use serde_json::json;

use crate::client::{Client, ROOT, simulator};

const IAM: &str = "/iam.googleapis.com/v1";

#[test]
fn service_accounts_come_with_an_address_and_a_policy() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{IAM}/projects/team-0001/serviceAccounts");
    let body = json!({"accountId": "robot-one", "serviceAccount": {"displayName": "Robot"}});
    let made = client.post(all, &body);
    let email = "robot-one@team-0001.iam.gserviceaccount.com";
    assert_eq!((made.text("/email").as_str(), made.text("/displayName").as_str()), (email, "Robot"));
    assert_eq!(client.post(all, &body).told(), "409 ALREADY_EXISTS");
    assert_eq!(client.get(all).listed("accounts", "/email"), [email]);
    let one = &format!("{all}/{email}");
    assert_eq!(client.post(&format!("{one}:disable"), &json!({})).told(), "200");
    let anywhere = client.get(&format!("{IAM}/projects/-/serviceAccounts/{}", made.text("/uniqueId")));
    assert_eq!(anywhere.json()["disabled"], true);
    assert_eq!(client.post(&format!("{one}:enable"), &json!({})).told(), "200");
    let policy =
        client.post(&format!("{one}:getIamPolicy?options.requestedPolicyVersion=3"), &json!({})).json();
    assert_eq!(policy["etag"], "ACAB");
    let binding =
        json!({"role": "roles/iam.workloadIdentityUser", "members": ["principalSet://iam.googleapis.com/x"]});
    let next = json!({"policy": {"etag": policy["etag"], "version": 3, "bindings": [binding]}});
    assert_eq!(client.post(&format!("{one}:setIamPolicy"), &next).told(), "200");
    assert_eq!(client.post(&format!("{one}:setIamPolicy"), &next).told(), "409 ABORTED");
    assert_eq!(
        client.get(&format!("{all}/nobody@team-0001.iam.gserviceaccount.com")).told(),
        "404 NOT_FOUND"
    );
}

#[test]
fn keys_are_listed_by_their_type() {
    let simulator = simulator(1);
    let email = simulator.edit(|world| world.add_service_account("team-0001", "robot-one"));
    let client = Client::new(&simulator);
    let keys = &format!("{IAM}/projects/team-0001/serviceAccounts/{email}/keys");
    assert_eq!(client.get(keys).json(), json!({}));
    let made = client.post(keys, &json!({}));
    assert!(!made.text("/privateKeyData").is_empty());
    let listed = client.get(&format!("{keys}?keyTypes=USER_MANAGED"));
    assert_eq!(listed.listed("keys", "/name"), [made.text("/name")]);
    assert!(listed.json()["keys"][0].get("privateKeyData").is_none());
    assert_eq!(client.get(&format!("{keys}?keyTypes=SYSTEM_MANAGED")).json(), json!({}));
    assert_eq!(client.delete(&format!("{IAM}/{}", made.text("/name"))).told(), "200");
}

#[test]
fn custom_roles_are_deleted_softly() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let all = &format!("{IAM}/{ROOT}/roles");
    let role = json!({"title": "Landfall reads", "includedPermissions": ["resourcemanager.projects.get"], "stage": "GA"});
    let made = client.post(all, &json!({"roleId": "landfall.read", "role": role}));
    let one = &format!("{IAM}/{}", made.text("/name"));
    assert_eq!(
        client.post(all, &json!({"roleId": "landfall.read", "role": role})).told(),
        "409 ALREADY_EXISTS"
    );
    let more = json!({"includedPermissions": ["a.b.c"], "etag": made.text("/etag")});
    let changed = client.patch(&format!("{one}?updateMask=includedPermissions"), &more);
    assert_eq!(
        (changed.text("/title").as_str(), changed.text("/includedPermissions/0").as_str()),
        ("Landfall reads", "a.b.c")
    );
    assert_eq!(client.patch(&format!("{one}?updateMask=includedPermissions"), &more).told(), "409 ABORTED");
    assert!(client.get(all).json()["roles"][0].get("includedPermissions").is_none());
    assert_eq!(client.delete(one).json()["deleted"], true);
    assert_eq!(client.get(all).json(), json!({}));
    assert_eq!(client.patch(one, &json!({"title": "x"})).told(), "400 FAILED_PRECONDITION");
    assert_eq!(client.post(&format!("{one}:undelete"), &json!({})).told(), "200");
    assert_eq!(client.get(&format!("{all}?view=FULL")).text("/roles/0/includedPermissions/0"), "a.b.c");
    assert_eq!(client.get(&format!("{IAM}/{ROOT}/roles/nothing")).told(), "404 NOT_FOUND");
}

#[test]
fn pools_hold_providers() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{IAM}/projects/team-0001/locations/global/workloadIdentityPools");
    let begun =
        client.post(&format!("{all}?workloadIdentityPoolId=landfall"), &json!({"displayName": "Landfall"}));
    let (done, _) = client.finish(IAM, &begun);
    let name = done["response"]["name"].as_str().unwrap().to_owned();
    assert!(name.ends_with("/locations/global/workloadIdentityPools/landfall"), "{name}");
    let provider = json!({"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://x.example"}});
    let begun =
        client.post(&format!("{all}/landfall/providers?workloadIdentityPoolProviderId=github"), &provider);
    client.finish(IAM, &begun);
    let one = &format!("{all}/landfall/providers/github");
    assert_eq!(client.get(one).text("/oidc/issuerUri"), "https://x.example");
    client.finish(IAM, &client.patch(&format!("{one}?updateMask=disabled"), &json!({"disabled": true})));
    assert_eq!(client.get(one).json()["disabled"], true);
    client.finish(IAM, &client.delete(one));
    assert_eq!(client.get(&format!("{all}/landfall/providers")).json(), json!({}));
    assert_eq!(client.get(one).text("/state"), "DELETED");
    let nowhere =
        client.post(&format!("{all}/nothing/providers?workloadIdentityPoolProviderId=github"), &provider);
    assert_eq!(nowhere.told(), "404 NOT_FOUND");
}

/// What is deleted can be looked at and brought back, and nothing else, and its name stays taken.
#[test]
fn a_deleted_provider_is_only_brought_back() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{IAM}/projects/team-0001/locations/global/workloadIdentityPools");
    client.finish(IAM, &client.post(&format!("{all}?workloadIdentityPoolId=landfall"), &json!({})));
    let list = &format!("{all}/landfall/providers?workloadIdentityPoolProviderId=ci-system");
    let provider = json!({"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://x.example", "jwksJson": "{}"}});
    client.finish(IAM, &client.post(list, &provider));
    for one in [format!("{all}/landfall/providers/ci-system"), format!("{all}/landfall")] {
        assert_eq!(client.post(&format!("{one}:undelete"), &json!({})).told(), "400 FAILED_PRECONDITION");
        client.finish(IAM, &client.delete(&one));
        assert_eq!(client.delete(&one).told(), "400 FAILED_PRECONDITION");
        let disabled = client.patch(&format!("{one}?updateMask=disabled"), &json!({"disabled": true}));
        assert_eq!(disabled.told(), "400 FAILED_PRECONDITION");
    }
    assert_eq!(client.post(list, &provider).told(), "400 FAILED_PRECONDITION", "its pool is deleted");
    client.finish(IAM, &client.post(&format!("{all}/landfall:undelete"), &json!({})));
    assert_eq!(client.post(list, &provider).told(), "409 ALREADY_EXISTS");
    let one = &format!("{all}/landfall/providers/ci-system");
    client.finish(IAM, &client.post(&format!("{one}:undelete"), &json!({})));
    let mask = format!("{one}?updateMask=oidc.issuerUri,oidc.jwksJson,disabled");
    let other = json!({"oidc": {"issuerUri": "https://y.example"}, "disabled": false});
    client.finish(IAM, &client.patch(&mask, &other));
    assert_eq!(client.get(one).json()["oidc"], json!({"issuerUri": "https://y.example"}));
    assert_eq!(client.get(one).text("/state"), "ACTIVE");
}

#[test]
fn a_provider_that_google_would_not_make_is_refused() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{IAM}/projects/team-0001/locations/global/workloadIdentityPools");
    client.finish(IAM, &client.post(&format!("{all}?workloadIdentityPoolId=landfall"), &json!({})));
    let list = &format!("{all}/landfall/providers?workloadIdentityPoolProviderId=github");
    let github = json!({"issuerUri": "https://token.actions.githubusercontent.com"});
    let mapped = json!({"google.subject": "assertion.sub"});
    let table = [
        json!({"attributeMapping": mapped}),
        json!({"attributeMapping": mapped, "oidc": {"issuerUri": "http://x.example"}}),
        json!({"oidc": {"issuerUri": "https://x.example"}}),
        json!({"attributeMapping": mapped, "oidc": github}),
        json!({"attributeMapping": mapped, "oidc": github, "attributeCondition": "true"}),
        json!({"attributeMapping": mapped, "oidc": {"issuer": "https://x.example"}}),
    ];
    for body in table {
        assert_eq!(client.post(list, &body).told(), "400 INVALID_ARGUMENT", "{body}");
    }
    let restricted =
        json!({"attributeMapping": mapped, "oidc": github, "attributeCondition": "assertion.sub == 'x'"});
    assert_eq!(client.post(list, &restricted).told(), "200");
}
