use super::*;
use crate::controls::landscape::Landscape;
use crate::controls::policies::points;

fn compiled(account: &str, unit: &str) -> Vec<Value> {
    let desired = Landscape::adopted(account).desired;
    let spared = spared_by(&desired);
    let points = points(&desired);
    let point = points.iter().find(|point| crate::controls::policies::resource(&point.at) == unit).unwrap();
    statements(point, &home(), &spared).unwrap().iter().map(|statement| statement.json(&spared)).collect()
}

fn home() -> Home {
    Home::of(crate::controls::ground(&Landscape::organization().desired).unwrap())
}

const SPARED: [&str; 6] = [
    "arn:aws:iam::*:role/AWSControlTowerExecution",
    "arn:aws:iam::*:role/OrganizationAccountAccessRole",
    "arn:aws:iam::*:role/break-glass",
    "arn:aws:iam::*:role/landfall-read",
    "arn:aws:iam::*:role/landfall-write",
    "arn:aws:iam::*:role/stacksets-exec-*",
];

#[test]
fn every_statement_denies_and_spares_who_could_undo_it() {
    let mut all = compiled("222222222222", "workloads");
    all.extend(compiled("222222222222", "workloads/production"));
    let spared = spared_by(&Landscape::adopted("222222222222").desired);
    all.push(everything().json(&spared));
    assert_eq!(all.len(), 10);
    for statement in &all {
        assert_eq!(statement["Effect"], "Deny");
        assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalARN"], json!(SPARED));
        let sid = statement["Sid"].as_str().unwrap();
        assert!(sid.bytes().all(|b| b.is_ascii_alphanumeric()), "{sid}");
    }
}

#[test]
fn spared_principals_are_of_the_partition_and_an_arn_stays_as_it_is() {
    let mut desired = Landscape::adopted("222222222222").desired;
    let landfall_model::manifest::Cloud::Aws(ground) = &mut desired.ground else { panic!("not AWS") };
    ground.home_region = "cn-north-1".parse().unwrap();
    ground.roles.bootstrap = vec!["setup".to_owned()];
    desired.break_glass = vec!["user/ada".to_owned(), "arn:aws-cn:iam::1:role/x/y".to_owned()];
    assert_eq!(
        spared_by(&desired),
        [
            "arn:aws-cn:iam::*:role/AWSControlTowerExecution",
            "arn:aws-cn:iam::*:role/OrganizationAccountAccessRole",
            "arn:aws-cn:iam::*:role/landfall-read",
            "arn:aws-cn:iam::*:role/landfall-write",
            "arn:aws-cn:iam::*:role/setup",
            "arn:aws-cn:iam::*:role/stacksets-exec-*",
            "arn:aws-cn:iam::*:user/ada",
            "arn:aws-cn:iam::1:role/x/y",
        ]
    );
    let users = baseline(&home(), &spared_by(&desired));
    assert_eq!(users[2].sid, "ProtectSparedUsers");
    assert_eq!(users[2].resources, ["arn:aws-cn:iam::*:user/ada"]);
    assert!(users[1].resources.contains(&"arn:aws-cn:iam::1:role/x/y".to_owned()));
}

#[test]
fn outside_the_regions_everything_but_the_global_services_is_denied() {
    let regions = &compiled("222222222222", "workloads")[0];
    assert_eq!(
        regions["Condition"]["StringNotEquals"]["aws:RequestedRegion"],
        json!(["eu-central-1", "eu-west-1"])
    );
    assert!(regions.get("Action").is_none());
    let global = regions["NotAction"].as_array().unwrap();
    assert!(global.contains(&json!("iam:*")) && !global.contains(&json!("kms:*")));
    assert!(GLOBAL.is_sorted());
}

#[test]
fn a_denied_service_is_all_of_its_actions_and_an_action_is_itself() {
    let services = &compiled("222222222222", "workloads/production")[0];
    assert_eq!(services["Action"], json!(["iam:CreateUser", "lightsail:*"]));
    assert_eq!(services["Resource"], "*");
}

#[test]
fn the_baseline_and_the_roles_that_hold_it_are_protected() {
    assert!(UNDOING.is_sorted() && ROLE_CHANGES.is_sorted() && USER_CHANGES.is_sorted());
    let baseline = &compiled("222222222222", "workloads")[1..];
    assert_eq!(baseline[0]["Action"], json!(&UNDOING[..]));
    for undoing in ["guardduty:DeleteDetector", "securityhub:DisableSecurityHub", "cloudtrail:StopLogging"] {
        assert!(UNDOING.contains(&undoing), "{undoing}");
    }
    assert_eq!(baseline[1]["Action"], json!(ROLE_CHANGES));
    let guarded = [&SPARED[..], &["arn:aws:iam::333333333333:role/landfall*"]].concat();
    assert_eq!(baseline[1]["Resource"], json!(guarded));
}

#[test]
fn a_deny_goes_with_what_keeps_its_spared_names_from_being_taken() {
    let sids = |statements: &[Statement]| -> Vec<(String, Option<ControlKind>)> {
        statements.iter().map(|one| (one.sid.clone(), one.control)).collect()
    };
    let of = |asks: &[(ControlKind, Value)]| {
        let point = Point {
            at: landfall_model::catalog::policies::At::Unit("workloads".parse().unwrap()),
            own: true,
            owner: None,
            asks: asks.iter().cloned().collect(),
        };
        let spared = ["arn:aws:iam::*:role/ours".to_owned(), "arn:aws:iam::*:user/ada".to_owned()];
        statements(&point, &home(), &spared).unwrap()
    };
    let denied = (ControlKind::DeniedServices, json!({"aws": ["lightsail"], "azure": [], "gcp": []}));
    let protect = (ControlKind::ProtectBaseline, json!({}));
    let guarded = |by| vec![("ProtectSparedRoles".to_owned(), by), ("ProtectSparedUsers".to_owned(), by)];
    let services = vec![("DeniedServices".to_owned(), Some(ControlKind::DeniedServices))];
    let baseline = vec![("ProtectBaseline".to_owned(), Some(ControlKind::ProtectBaseline))];

    let alone = of(std::slice::from_ref(&denied));
    assert_eq!(sids(&alone), [services.clone(), guarded(None)].concat());
    assert_eq!(alone[1].actions, only(&ROLE_CHANGES));
    assert_eq!(alone[1].resources, ["arn:aws:iam::*:role/ours"]);
    assert_eq!(alone[2].actions, only(&USER_CHANGES));
    assert_eq!(alone[2].resources, ["arn:aws:iam::*:user/ada"]);
    // Where the baseline is protected they are there already, once.
    let whole = guarded(Some(ControlKind::ProtectBaseline));
    let own = home().statements(Some(ControlKind::ProtectBaseline));
    assert_eq!(sids(&of(&[denied, protect])), [services, baseline, whole, sids(&own)].concat());
    // What denies nothing needs none.
    let nothing = json!({"aws": [], "azure": ["Microsoft.Sql/servers"], "gcp": []});
    assert_eq!(of(&[(ControlKind::DeniedServices, nothing)]), []);
    assert_eq!(of(&[]), []);
}

#[test]
fn all_of_it_fits_where_least_does() {
    let spared: Vec<String> = SPARED.iter().map(|arn| arn.replace("arn:aws:", "arn:aws-us-gov:")).collect();
    let regions = json!({"aws": ["us-gov-east-1", "us-gov-west-1"]});
    let services = json!({"aws": ["lightsail"], "azure": [], "gcp": []});
    for more in [None, Some((ControlKind::ProtectBaseline, json!({})))] {
        let point = Point {
            at: landfall_model::catalog::policies::At::Unit("workloads".parse().unwrap()),
            own: true,
            owner: None,
            asks: [
                (ControlKind::AllowedRegions, regions.clone()),
                (ControlKind::DeniedServices, services.clone()),
            ]
            .into_iter()
            .chain(more)
            .collect(),
        };
        let quota = crate::controls::policies::quota::Quota::of(Partition::of_region("us-gov-west-1"));
        let statements = statements(&point, &home(), &spared).unwrap();
        let documents =
            crate::controls::policies::pack::pack("landfall-workloads", statements, &spared, quota).unwrap();
        assert!(documents.len() <= 2, "{}", documents.len());
    }
}

#[test]
fn the_gate_alone_lets_the_organization_s_root_sessions_through() {
    let spared = spared_by(&Landscape::adopted("222222222222").desired);
    let gate = everything().json(&spared);
    assert_eq!(gate["Action"], json!(["*"]));
    assert_eq!(gate["Resource"], "*");
    // The key is there in no other request: where it is absent, the deny holds.
    assert_eq!(
        gate["Condition"],
        json!({"ArnNotLike": {"aws:PrincipalARN": spared}, "Null": {"aws:AssumedRoot": "true"}})
    );
    for statement in compiled("222222222222", "workloads") {
        assert!(statement["Condition"].get("Null").is_none(), "{statement}");
    }
}

#[test]
fn the_function_s_own_role_is_spared_in_its_account_alone() {
    let mut desired = Landscape::adopted("222222222222").desired;
    assert_eq!(spared_by(&desired), SPARED);
    let landfall_model::manifest::Cloud::Aws(ground) = &mut desired.ground else { panic!("not AWS") };
    ground.roles.controller = Some("landfall-function".to_owned());
    let own = "arn:aws:iam::333333333333:role/landfall-function".to_owned();
    let mut with: Vec<String> = SPARED.map(str::to_owned).to_vec();
    with.push(own.clone());
    with.sort();
    assert_eq!(spared_by(&desired), with);
    assert!(baseline(&home(), &with)[1].resources.contains(&own), "nobody takes its name either");
}

#[test]
fn a_list_that_is_empty_or_absent_denies_nothing() {
    assert_eq!(regions(&allowed_regions::Settings { aws: None, azure: None, gcp: None }), None);
    assert_eq!(regions(&allowed_regions::Settings { aws: Some(vec![]), azure: None, gcp: None }), None);
    assert_eq!(services(&denied_services::Settings { aws: vec![], azure: vec![], gcp: vec![] }), None);
}
