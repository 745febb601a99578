use serde_json::{Value, json};

use crate::client::{Client, MEMBER, simulator};

/// The invited account of a sample of two: its default networks are there, nothing is configured.
const BARE: &str = "222222222223";

#[test]
fn contacts_are_put_read_and_deleted_also_from_above() {
    let simulator = simulator(2);
    let controller = Client::new(&simulator);
    let member = controller.assume(BARE, "landfall-write");
    let of = |who: &Client, path: &str, more: Value| {
        let mut body = json!({"AlternateContactType": "SECURITY"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        who.rest("POST", path, "account", &body)
    };
    let absent = of(&member, "/getAlternateContact", json!({}));
    assert_eq!(absent.status, 404);
    assert!(absent.head.contains("x-amzn-errortype: ResourceNotFoundException"));
    let contact = json!({"Name": "n", "Title": "t", "EmailAddress": "a@example.com", "PhoneNumber": "1"});
    assert_eq!(of(&member, "/putAlternateContact", contact).status, 200);
    let above = of(&controller, "/getAlternateContact", json!({ "AccountId": BARE })).json();
    assert_eq!(above["AlternateContact"]["EmailAddress"], "a@example.com");
    assert_eq!(of(&member, "/getAlternateContact", json!({"AccountId": "222222222222"})).status, 403);
    assert_eq!(of(&member, "/deleteAlternateContact", json!({})).status, 200);
    assert_eq!(of(&member, "/deleteAlternateContact", json!({})).status, 404);
}

#[test]
fn an_opt_in_region_works_once_it_is_enabled() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let vpcs = || member.query("ec2", "me-central-1", "DescribeVpcs", "").status;
    assert_eq!(vpcs(), 401);
    let on = json!({"RegionName": "me-central-1"});
    assert_eq!(member.rest("POST", "/enableRegion", "account", &on).status, 200);
    assert_eq!(vpcs(), 200);
    let status = member.rest("POST", "/getRegionOptStatus", "account", &on).json();
    assert_eq!(status["RegionOptStatus"], "ENABLED");
    let listed =
        member.rest("POST", "/listRegions", "account", &json!({"RegionOptStatusContains": ["DISABLED"]}));
    assert_eq!(
        listed.json()["Regions"],
        json!([{"RegionName": "eu-central-2", "RegionOptStatus": "DISABLED"}])
    );
    let wrong = json!({"RegionName": "us-east-1"});
    assert_eq!(member.rest("POST", "/disableRegion", "account", &wrong).status, 400);
}

#[test]
fn a_region_has_one_analyzer_of_a_kind() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let create = |name: &str| {
        member.rest("PUT", "/analyzer", "access-analyzer", &json!({"analyzerName": name, "type": "ACCOUNT"}))
    };
    assert_eq!(create("one").status, 200);
    assert_eq!(create("one").status, 409);
    assert_eq!(create("two").status, 402);
    let list = member.rest("GET", "/analyzer?type=ACCOUNT", "access-analyzer", &Value::Null).json();
    assert_eq!(
        (&list["analyzers"][0]["name"], &list["analyzers"][0]["status"]),
        (&json!("one"), &json!("ACTIVE"))
    );
    assert_eq!(member.rest("DELETE", "/analyzer/one", "access-analyzer", &Value::Null).status, 200);
    assert_eq!(member.rest("DELETE", "/analyzer/one", "access-analyzer", &Value::Null).status, 404);
}

#[test]
fn a_region_has_one_detector_that_brings_most_features_with_it() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let ask = |method: &str, path: &str, body: Value| member.rest(method, path, "guardduty", &body);
    assert_eq!(ask("GET", "/detector", Value::Null).json(), json!({"detectorIds": []}));
    let features = |name: &str, status: &str| json!([{"name": name, "status": status}]);
    let body = json!({"enable": true, "features": features("EKS_AUDIT_LOGS", "DISABLED")});
    let id = ask("POST", "/detector", body.clone()).json()["detectorId"].as_str().unwrap().to_owned();
    let again = ask("POST", "/detector", body);
    assert!(again.status == 400 && again.body.contains("already exists"), "{}", again.body);
    let path = format!("/detector/{id}");
    let on = || -> Vec<String> {
        let shown = ask("GET", &path, Value::Null).json();
        assert_eq!(shown["status"], "ENABLED");
        let features = shown["features"].as_array().unwrap().iter();
        let on = features.filter(|feature| feature["status"] == "ENABLED");
        on.map(|feature| feature["name"].as_str().unwrap().to_owned()).collect()
    };
    let begun = on();
    assert!(begun.contains(&"S3_DATA_EVENTS".to_owned()) && begun.contains(&"DNS_LOGS".to_owned()));
    assert!(
        !begun.contains(&"EKS_AUDIT_LOGS".to_owned()) && !begun.contains(&"RUNTIME_MONITORING".to_owned())
    );
    assert_eq!(ask("POST", &path, json!({"features": features("EKS_AUDIT_LOGS", "ENABLED")})).status, 200);
    assert_eq!(on().len(), begun.len() + 1);
    assert_eq!(ask("POST", &path, json!({"features": features("TEA_LEAVES", "ENABLED")})).status, 400);
    // Who is managed by an administrator changes nothing.
    simulator.edit(|world| {
        let detector = &mut world.account_mut(BARE).unwrap().region("us-east-1").detector;
        detector.as_mut().unwrap().administrator = Some(MEMBER.to_owned());
    });
    assert_eq!(ask("POST", &path, json!({"enable": false})).status, 400);
    assert_eq!(ask("DELETE", &path, Value::Null).status, 200);
    assert_eq!(ask("GET", &path, Value::Null).status, 400);
}

#[test]
fn a_hub_has_the_standards_that_were_asked() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let ask = |method: &str, path: &str, body: Value| member.rest(method, path, "securityhub", &body);
    let refused = ask("POST", "/standards/get", json!({}));
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("is not subscribed to AWS Security Hub"), "{}", refused.body);
    assert_eq!(ask("POST", "/accounts", json!({"EnableDefaultStandards": false})).status, 200);
    assert_eq!(ask("POST", "/accounts", json!({})).status, 409);
    let on = || ask("POST", "/standards/get", json!({})).json()["StandardsSubscriptions"].clone();
    assert_eq!(on(), json!([]));
    let arn = "arn:aws:securityhub:us-east-1::standards/nist-800-53/v/5.0.0";
    let register = |arn: &str| {
        ask("POST", "/standards/register", json!({"StandardsSubscriptionRequests": [{"StandardsArn": arn}]}))
    };
    for _ in 0..2 {
        assert_eq!(register(arn).json()["StandardsSubscriptions"][0]["StandardsStatus"], "PENDING");
    }
    let elsewhere = register(&arn.replace("us-east-1", "eu-west-1"));
    assert!(elsewhere.status == 400 && elsewhere.body.contains("StandardsArn"), "{}", elsewhere.body);
    assert_eq!(on()[0]["StandardsStatus"], "READY");
    let gone = json!({"StandardsSubscriptionArns": [on()[0]["StandardsSubscriptionArn"]]});
    assert_eq!(ask("POST", "/standards/deregister", gone).status, 200);
    assert_eq!(on(), json!([]));
    assert_eq!(ask("DELETE", "/accounts", Value::Null).status, 200);
    assert_eq!(ask("GET", "/accounts", Value::Null).status, 401);
    // What AWS would choose comes where nobody says otherwise.
    assert_eq!(ask("POST", "/accounts", json!({})).status, 200);
    assert_eq!(on().as_array().unwrap().len(), 2);
}

#[test]
fn a_trail_of_the_organization_shows_in_every_account_and_is_changed_in_one() {
    let simulator = simulator(2);
    let (top, member) = (Client::new(&simulator), Client::new(&simulator).assume(BARE, "landfall-write"));
    let ask = |by: &Client, region: &str, operation: &str, body: Value| {
        by.json(
            "cloudtrail",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
            region,
            operation,
            &body,
        )
    };
    let home = "eu-central-1";
    let trail = json!({"Name": "audit", "S3BucketName": "acme-audit", "IsMultiRegionTrail": true,
        "IsOrganizationTrail": true, "EnableLogFileValidation": true});
    let refused = ask(&member, home, "CreateTrail", trail.clone());
    assert_eq!(refused.code(), "NotOrganizationMasterAccountException");
    let refused = ask(&top, home, "CreateTrail", trail.clone());
    assert_eq!(refused.code(), "CloudTrailAccessNotEnabledException");
    top.organizations("EnableAWSServiceAccess", &json!({"ServicePrincipal": "cloudtrail.amazonaws.com"}));
    let arn = ask(&top, home, "CreateTrail", trail.clone()).json()["TrailARN"].as_str().unwrap().to_owned();
    assert_eq!(ask(&top, home, "CreateTrail", trail).code(), "TrailAlreadyExistsException");

    let shown = |by: &Client, region: &str, body: Value| -> usize {
        ask(by, region, "DescribeTrails", body).json()["trailList"].as_array().unwrap().len()
    };
    for by in [&top, &member] {
        assert_eq!(shown(by, "eu-west-1", json!({})), 1);
        assert_eq!(shown(by, "eu-west-1", json!({"includeShadowTrails": false})), 0);
    }
    let logs = || ask(&member, home, "GetTrailStatus", json!({"Name": arn})).json()["IsLogging"].clone();
    assert_eq!(logs(), json!(false));
    let name = json!({"Name": "audit"});
    assert_eq!(ask(&member, home, "GetTrailStatus", name.clone()).code(), "TrailNotFoundException");
    let by_arn = json!({"Name": arn});
    assert_eq!(
        ask(&member, home, "StartLogging", by_arn.clone()).code(),
        "NotOrganizationMasterAccountException"
    );
    assert_eq!(ask(&top, "eu-west-1", "StartLogging", name.clone()).code(), "InvalidHomeRegionException");
    for _ in 0..2 {
        assert_eq!(ask(&top, home, "StartLogging", by_arn.clone()).status, 200);
        assert_eq!(logs(), json!(true));
    }
    let less = json!({"Name": arn, "IncludeGlobalServiceEvents": false});
    assert_eq!(ask(&top, home, "UpdateTrail", less).code(), "InvalidParameterCombinationException");
    let other = json!({"Name": arn, "S3BucketName": "elsewhere"});
    assert_eq!(ask(&top, home, "UpdateTrail", other).json()["S3BucketName"], "elsewhere");
    assert_eq!(ask(&top, home, "DeleteTrail", name).status, 200);
    assert_eq!(shown(&member, home, json!({})), 0);
}

#[test]
fn a_budget_and_its_notifications_exist_once() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let budgets = |operation: &str, mut body: Value| {
        body["AccountId"] = json!(BARE);
        member.json("budgets", "AWSBudgetServiceGateway", "us-east-1", operation, &body)
    };
    let named = json!({"BudgetName": "monthly"});
    assert_eq!(budgets("DescribeBudget", named.clone()).code(), "NotFoundException");
    let budget = |amount: &str| {
        json!({"BudgetName": "monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": amount, "Unit": "USD"}})
    };
    assert_eq!(budgets("CreateBudget", json!({"Budget": budget("100")})).status, 200);
    assert_eq!(budgets("CreateBudget", json!({"Budget": budget("100")})).code(), "DuplicateRecordException");
    assert_eq!(budgets("UpdateBudget", json!({"NewBudget": budget("200")})).status, 200);
    let shown = budgets("DescribeBudget", named.clone()).json();
    assert_eq!(shown["Budget"]["BudgetLimit"]["Amount"], "200");
    let alarm = json!({"BudgetName": "monthly",
        "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80},
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]});
    assert_eq!(budgets("CreateNotification", alarm.clone()).status, 200);
    assert_eq!(budgets("CreateNotification", alarm.clone()).code(), "DuplicateRecordException");
    let all = budgets("DescribeNotificationsForBudget", named.clone()).json();
    assert_eq!(all["Notifications"][0]["ThresholdType"], "PERCENTAGE");
    let who = budgets("DescribeSubscribersForNotification", alarm.clone()).json();
    assert_eq!(who["Subscribers"][0]["Address"], "a@example.com");
    assert_eq!(budgets("DeleteNotification", alarm.clone()).status, 200);
    assert_eq!(budgets("DeleteNotification", alarm).code(), "NotFoundException");
    let foreign = json!({"AccountId": "222222222222"});
    let foreign = member.json("budgets", "AWSBudgetServiceGateway", "us-east-1", "DescribeBudgets", &foreign);
    assert_eq!(foreign.code(), "AccessDeniedException");
}

#[test]
fn a_security_group_loses_exactly_the_rules_that_are_named() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let ec2 = |operation: &str, form: &str| member.query("ec2", "us-east-1", operation, form);
    let group = ec2("DescribeSecurityGroups", "Filter.1.Name=group-name&Filter.1.Value.1=default")
        .between("<groupId>", "<");
    let ingress =
        format!("GroupId={group}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={group}");
    let revoked = ec2("RevokeSecurityGroupIngress", &ingress);
    assert_eq!(revoked.between("<return>", "<"), "true");
    assert_eq!(ec2("RevokeSecurityGroupIngress", &ingress).code(), "InvalidPermission.NotFound");
    let egress =
        format!("GroupId={group}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0");
    assert_eq!(ec2("RevokeSecurityGroupEgress", &egress).status, 200);
    let left = ec2("DescribeSecurityGroups", &format!("GroupId.1={group}"));
    assert!(left.body.contains("<ipPermissions></ipPermissions>"), "{}", left.body);
    assert!(left.body.contains("<ipPermissionsEgress></ipPermissionsEgress>"));
    assert_eq!(ec2("DescribeSecurityGroups", "GroupId.1=sg-0").code(), "InvalidGroup.NotFound");
    assert_eq!(
        ec2("DescribeVpcs", "Filter.1.Name=colour&Filter.1.Value.1=red").code(),
        "InvalidParameterValue"
    );
}

#[test]
fn a_regions_settings_are_kept() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let ec2 = |operation: &str, form: &str| member.query("ec2", "us-east-1", operation, form);
    assert_eq!(ec2("GetEbsDefaultKmsKeyId", "").between("<kmsKeyId>", "<"), "alias/aws/ebs");
    ec2("ModifyEbsDefaultKmsKeyId", "KmsKeyId=alias/own");
    let key = ec2("GetEbsDefaultKmsKeyId", "").between("<kmsKeyId>", "<");
    assert_eq!(key, format!("arn:aws:kms:us-east-1:{BARE}:alias/own"));
    assert_eq!(ec2("EnableSnapshotBlockPublicAccess", "State=wrong").code(), "InvalidParameterValue");
    ec2("EnableSnapshotBlockPublicAccess", "State=block-all-sharing");
    assert_eq!(ec2("GetSnapshotBlockPublicAccessState", "").between("<state>", "<"), "block-all-sharing");
    ec2("EnableImageBlockPublicAccess", "ImageBlockPublicAccessState=block-new-sharing");
    let state = ec2("GetImageBlockPublicAccessState", "").between("<imageBlockPublicAccessState>", "<");
    assert_eq!(state, "block-new-sharing");
    ec2("ModifyInstanceMetadataDefaults", "HttpTokens=required&HttpPutResponseHopLimit=2");
    ec2("ModifyInstanceMetadataDefaults", "HttpPutResponseHopLimit=-1");
    let defaults = ec2("GetInstanceMetadataDefaults", "");
    assert_eq!(defaults.between("<httpTokens>", "<"), "required", "what is not sent stays");
    assert!(!defaults.body.contains("httpPutResponseHopLimit"));
    assert_eq!(ec2("DescribeVpcs", "DryRun=true").code(), "DryRunOperation");
}

/// An account trusts an issuer once, whoever is let in by it; an audience is added and taken out as often as one likes.
#[test]
fn an_issuer_is_trusted_once_and_its_audiences_come_and_go() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let url = "Url=https%3A%2F%2Fgitlab.example";
    let arn =
        format!("OpenIDConnectProviderArn=arn%3Aaws%3Aiam%3A%3A{BARE}%3Aoidc-provider%2Fgitlab.example");
    let change = |verb: &str, client: &str| {
        member.iam(&format!("{verb}OpenIDConnectProvider"), &format!("{arn}&ClientID={client}")).status
    };
    assert_eq!(member.iam("GetOpenIDConnectProvider", &arn).code(), "NoSuchEntity");
    assert_eq!(member.iam("CreateOpenIDConnectProvider", "Url=http%3A%2F%2Fgitlab.example").status, 400);
    let made =
        member.iam("CreateOpenIDConnectProvider", &format!("{url}&ClientIDList.member.1=sts.amazonaws.com"));
    assert_eq!(made.status, 200);
    assert_eq!(member.iam("CreateOpenIDConnectProvider", url).code(), "EntityAlreadyExists");
    for (verb, client) in [("AddClientIDTo", "b"), ("AddClientIDTo", "b"), ("RemoveClientIDFrom", "x")] {
        assert_eq!(change(verb, client), 200, "{verb} {client}");
    }
    let got = member.iam("GetOpenIDConnectProvider", &arn);
    assert_eq!(
        got.between("<ClientIDList>", "</ClientIDList>"),
        "<member>b</member><member>sts.amazonaws.com</member>"
    );
    assert_eq!(got.between("<Url>", "<"), "gitlab.example");
    assert_eq!(got.between("<ThumbprintList><member>", "<").len(), 40, "IAM finds it where none is sent");
    for _ in 0..2 {
        assert_eq!(member.iam("DeleteOpenIDConnectProvider", &arn).status, 200);
    }
    assert_eq!(change("AddClientIDTo", "b"), 404);
}

#[test]
fn a_saml_provider_is_its_document() {
    let simulator = simulator(2);
    let member = Client::new(&simulator).assume(BARE, "landfall-write");
    let document = |key: &str| {
        format!("SAMLMetadataDocument=%3CEntityDescriptor%3E{}%3C%2FEntityDescriptor%3E", key.repeat(1_000))
    };
    let arn = format!("SAMLProviderArn=arn%3Aaws%3Aiam%3A%3A{BARE}%3Asaml-provider%2Fokta");
    assert_eq!(member.iam("CreateSAMLProvider", "Name=okta&SAMLMetadataDocument=x").code(), "InvalidInput");
    assert_eq!(member.iam("CreateSAMLProvider", &format!("Name=okta&{}", document("a"))).status, 200);
    assert_eq!(
        member.iam("CreateSAMLProvider", &format!("Name=okta&{}", document("a"))).code(),
        "EntityAlreadyExists"
    );
    assert_eq!(member.iam("UpdateSAMLProvider", &format!("{arn}&{}", document("b"))).status, 200);
    let got = member.iam("GetSAMLProvider", &arn);
    assert!(
        got.between("<SAMLMetadataDocument>", "</SAMLMetadataDocument>")
            .contains("&lt;EntityDescriptor&gt;bbb")
    );
    assert_eq!(member.iam("DeleteSAMLProvider", &arn).status, 200);
    assert_eq!(member.iam("GetSAMLProvider", &arn).code(), "NoSuchEntity");
}
