//! AWS's own client drives the simulator and moto, an emulator that nobody here wrote, by the same script, and both say the same.
//!
//! Where they differ, the two lists below say what each says and why, and both answers are pinned: a difference that is not listed
//! fails, and so does a line that is no longer needed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};

use landfall_simulator::{Options, Settings, Simulator, World};
use landfall_tests::judges::{Moto, python};
use serde_json::Value;

/// Where the simulator and moto answer differently, and why.
struct Pin {
    step: &'static str,
    simulator: &'static str,
    moto: &'static str,
    why: &'static str,
}

/// Operations of the simulator that moto does not have: for these only AWS's client and service models judge.
const LACKS: [&str; 21] = [
    "accessanalyzer.CreateAnalyzer",
    "accessanalyzer.DeleteAnalyzer",
    "accessanalyzer.GetAnalyzer",
    "accessanalyzer.ListAnalyzers",
    "account.EnableRegion",
    "account.GetAccountInformation",
    "account.GetRegionOptStatus",
    "account.ListRegions",
    "budgets.DescribeSubscribersForNotification",
    "budgets.UpdateBudget",
    "ec2.EnableImageBlockPublicAccess",
    "ec2.EnableSnapshotBlockPublicAccess",
    "ec2.GetImageBlockPublicAccessState",
    "ec2.GetInstanceMetadataDefaults",
    "ec2.GetSnapshotBlockPublicAccessState",
    "ec2.ModifyInstanceMetadataDefaults",
    "securityhub.BatchEnableStandards",
    "securityhub.GetEnabledStandards",
    "sso-admin.ListTagsForResource",
    "iam.AddClientIDToOpenIDConnectProvider",
    "iam.RemoveClientIDFromOpenIDConnectProvider",
];

/// What both have, and answer differently. Each reason is from AWS's documentation or its service models.
const DIFFERS: [Pin; 51] = [
    Pin {
        step: "organizations: its name once more",
        simulator: "DuplicateOrganizationalUnitException 400",
        moto: r#"{"OrganizationalUnit":{"Arn":"arn:aws:organizations::<management>:ou/<organization>/<unit>…"#,
        why: "moto allows two units of one name under one parent; AWS does not",
    },
    Pin {
        step: "organizations: a unit nowhere",
        simulator: "ParentNotFoundException 400",
        moto: r#"{"OrganizationalUnit":{"Arn":"arn:aws:organizations::<management>:ou/<organization>/<unit>…"#,
        why: "moto does not look whether the parent exists",
    },
    Pin {
        step: "organizations: the same e-mail",
        simulator: r#"{"State":"FAILED","Why":"EMAIL_ALREADY_EXISTS"}"#,
        moto: r#"{"State":"SUCCEEDED"}"#,
        why: "moto gives one e-mail address to two accounts; AWS fails the second creation",
    },
    Pin {
        step: "organizations: no creation",
        simulator: "CreateAccountStatusNotFoundException 400",
        moto: "AccountNotFoundException 400",
        why: "moto answers with another operation's error",
    },
    Pin {
        step: "organizations: a token that nobody gave",
        simulator: "InvalidInputException 400",
        moto: "InvalidToken 400",
        why: "moto's code is none of the operation's errors",
    },
    Pin {
        step: "organizations: parents of nobody",
        simulator: "ChildNotFoundException 400",
        moto: "AccountNotFoundException 400",
        why: "moto's code is none of the operation's errors",
    },
    Pin {
        step: "organizations: a move from elsewhere",
        simulator: "AccountNotFoundException 400",
        moto: "{}",
        why: "moto does not look where the account is",
    },
    Pin {
        step: "organizations: a move to nowhere",
        simulator: "DestinationParentNotFoundException 400",
        moto: "ParentNotFoundException 400",
        why: "moto's code is none of the operation's errors",
    },
    Pin {
        step: "organizations: a policy that is no policy",
        simulator: "MalformedPolicyDocumentException 400",
        moto: r#"{"Policy":{"Content":"{]","PolicySummary":{"Arn":"arn:aws:organizations::<management>:poli…"#,
        why: "moto does not read policies",
    },
    Pin {
        step: "organizations: a policy too long",
        simulator: "ConstraintViolationException 400",
        moto: r#"{"Policy":{"Content":"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"No\", \"Ef…"#,
        why: "moto has no quota on a policy's size",
    },
    Pin {
        step: "organizations: policies",
        simulator: r#"["FullAWSAccess","no-lightsail"]"#,
        moto: r#"["FullAWSAccess","broken","long","no-lightsail"]"#,
        why: "moto accepted the two policies above",
    },
    Pin {
        step: "organizations: attached again",
        simulator: "DuplicatePolicyAttachmentException 400",
        moto: "{}",
        why: "moto attaches twice",
    },
    Pin {
        step: "organizations: attached to nobody",
        simulator: "TargetNotFoundException 400",
        moto: "AccountNotFoundException 400",
        why: "moto's code is none of the operation's errors",
    },
    Pin {
        step: "organizations: the last policy of a unit",
        simulator: "ConstraintViolationException 400",
        moto: "{}",
        why: "moto lets the last service control policy be detached; AWS keeps one",
    },
    Pin {
        step: "organizations: detached again",
        simulator: "PolicyNotAttachedException 400",
        moto: "{}",
        why: "moto detaches what is not attached",
    },
    Pin {
        step: "sts: a role that is not there",
        simulator: "AccessDenied 403",
        moto: r#""arn:aws:sts::<member>:assumed-role/nobody/drive""#,
        why: "moto hands out keys for roles that do not exist",
    },
    Pin {
        step: "organizations: asked by a member",
        simulator: "AccessDeniedException 400",
        moto: "false",
        why: "moto shows a member an empty organization; AWS denies, as no policy allows the call",
    },
    Pin {
        step: "iam: what is left of it",
        simulator: r#"{"AllowUsersToChangePassword":false,"ExpirePasswords":false,"HardExpiry":false,"MinimumPas…"#,
        moto: r#"{"AllowUsersToChangePassword":false,"ExpirePasswords":false,"HardExpiry":false,"MaxPasswor…"#,
        why: "moto shows the age of passwords that do not expire as 0, which the service model does not allow",
    },
    Pin {
        step: "iam: an alias that somebody has",
        simulator: "EntityAlreadyExists 409",
        moto: "{}",
        why: "moto does not know that aliases are unique in AWS",
    },
    Pin {
        step: "iam: an alias that is none",
        simulator: "ValidationError 400",
        moto: "{}",
        why: "moto does not look at an alias's pattern",
    },
    Pin {
        step: "iam: another's alias",
        simulator: "NoSuchEntity 404",
        moto: "{}",
        why: "moto deletes whatever alias there is",
    },
    Pin {
        step: "iam: the root user",
        simulator: r#"{"Keys":0,"MFA":1}"#,
        moto: r#"{"Keys":0,"MFA":0}"#,
        why: "moto's accounts have no MFA; the simulator's have, so that a test breaks it by hand",
    },
    Pin {
        step: "account: no contact",
        simulator: "ResourceNotFoundException 404",
        moto: "ResourceNotFoundException 400",
        why: "moto answers 400; the service model says 404",
    },
    Pin {
        step: "account: the management account has none",
        simulator: "ResourceNotFoundException 404",
        moto: "ResourceNotFoundException 400",
        why: "moto answers 400; the service model says 404",
    },
    Pin {
        step: "account: deleted again",
        simulator: "ResourceNotFoundException 404",
        moto: "{}",
        why: "moto deletes a contact that is not there",
    },
    Pin {
        step: "ec2: its gateway",
        simulator: r#"["available"]"#,
        moto: "[]",
        why: "moto's default networks have no gateway",
    },
    Pin {
        step: "ec2: its security group",
        simulator: r#"[{"In":["-1"],"Name":"default","Out":["0.0.0.0/0"]}]"#,
        moto: r#"[{"In":[],"Name":"default","Out":["0.0.0.0/0"]}]"#,
        why: "moto's default security group does not admit itself",
    },
    Pin {
        step: "ec2: nothing in",
        simulator: "true",
        moto: "InvalidPermission.NotFound 400",
        why: "moto's default security group does not admit itself",
    },
    Pin {
        step: "ec2: an attached gateway",
        simulator: "DependencyViolation 400",
        moto: "InvalidInternetGatewayID.NotFound 400",
        why: "moto's default networks have no gateway",
    },
    Pin {
        step: "guardduty: what came with it",
        simulator: r#"["ENABLED"]"#,
        moto: "[]",
        why: "moto keeps the features that were sent; AWS switches most others on as well",
    },
    Pin {
        step: "guardduty: another in the region",
        simulator: "BadRequestException 400",
        moto: "32",
        why: "moto makes two detectors in one region; AWS allows one",
    },
    Pin {
        step: "securityhub: another",
        simulator: "ResourceConflictException 409",
        moto: "{}",
        why: "moto subscribes twice; AWS says that the account is subscribed already",
    },
    Pin {
        step: "cloudtrail: no trusted access",
        simulator: "CloudTrailAccessNotEnabledException 400",
        moto: r#"{"Bucket":"acme-audit","Everywhere":true,"Name":"audit","Organization":true,"Validation":t…"#,
        why: "moto does not ask Organizations",
    },
    Pin {
        step: "cloudtrail: a member's for all",
        simulator: "NotOrganizationMasterAccountException 400",
        moto: "S3BucketDoesNotExistException 400",
        why: "moto lets every account make the organization's trail, and looks for the bucket alone",
    },
    Pin {
        step: "cloudtrail: its name again",
        simulator: "TrailAlreadyExistsException 400",
        moto: r#"{"Bucket":"acme-audit","Everywhere":true,"Name":"audit","Organization":true,"Validation":t…"#,
        why: "moto replaces the trail of that name",
    },
    Pin {
        step: "cloudtrail: in a member",
        simulator: r#"[{"Home":"eu-central-1","Organization":true}]"#,
        moto: "[]",
        why: "moto shows the organization's trail in the management account alone",
    },
    Pin {
        step: "cloudtrail: it logs in a member",
        simulator: "true",
        moto: "TrailNotFoundException 400",
        why: "moto shows the organization's trail in the management account alone",
    },
    Pin {
        step: "cloudtrail: a member's change",
        simulator: "NotOrganizationMasterAccountException 400",
        moto: "TrailNotFoundException 400",
        why: "moto shows the organization's trail in the management account alone",
    },
    Pin {
        step: "cloudtrail: a change from elsewhere",
        simulator: "InvalidHomeRegionException 400",
        moto: "TrailNotFoundException 400",
        why: "moto does not find in one region what was made in another",
    },
    Pin {
        step: "sso-admin: its name again",
        simulator: "ConflictException 400",
        moto: r#""developer""#,
        why: "moto makes two permission sets of one name",
    },
    Pin {
        step: "sso-admin: permission sets",
        simulator: "1",
        moto: "2",
        why: "moto made the second one above",
    },
    Pin {
        step: "sso-admin: an assignment to no account",
        simulator: "ResourceNotFoundException 400",
        moto: r#""<account>""#,
        why: "moto assigns to accounts that do not exist",
    },
    Pin {
        step: "config: its role is missing",
        simulator: "InvalidRoleException 400",
        moto: "{}",
        why: "moto does not look whether the role exists",
    },
    Pin {
        step: "iam: an issuer without TLS",
        simulator: "ValidationError 400",
        moto: r#"{"OpenIDConnectProviderArn":"arn:aws:iam::<member>:oidc-provider/ci.example.com"}"#,
        why: "moto takes an issuer of plain http; AWS: the URL must begin with https://",
    },
    Pin {
        step: "iam: issuers",
        simulator: r#"["arn:aws:iam::<member>:oidc-provider/token.actions.githubusercontent.com"]"#,
        moto: r#"["arn:aws:iam::<member>:oidc-provider/token.actions.githubusercontent.com","arn:aws:iam::<…"#,
        why: "moto took the issuer of plain http before",
    },
    Pin {
        step: "iam: metadata that is none",
        simulator: "InvalidInput 400",
        moto: r#"{"SAMLProviderArn":"arn:aws:iam::<member>:saml-provider/okta"}"#,
        why: "moto does not read the metadata document",
    },
    Pin {
        step: "iam: the SAML provider again",
        simulator: "EntityAlreadyExists 409",
        moto: r#""arn:aws:iam::<member>:saml-provider/okta""#,
        why: "moto takes a second provider of one name; AWS: EntityAlreadyExists",
    },
    Pin {
        step: "iam: the SAML provider deleted again",
        simulator: "NoSuchEntity 404",
        moto: "{}",
        why: "moto deletes what is not there",
    },
    Pin {
        step: "iam: the issuer",
        simulator: r#"{"For":["signer","sts.amazonaws.com"],"Url":"token.actions.githubusercontent.com"}"#,
        moto: r#"{"For":["sts.amazonaws.com"],"Url":"token.actions.githubusercontent.com"}"#,
        why: "moto lacks adding an audience",
    },
    Pin {
        step: "iam: the role again",
        simulator: "InvalidInput 400",
        moto: "EntityAlreadyExists 409",
        why: "moto has another code for a service-linked role that is there; AWS: InvalidInput",
    },
    Pin {
        step: "iam: what is left of the issuer",
        simulator: r#"["signer"]"#,
        moto: r#"["sts.amazonaws.com"]"#,
        why: "moto lacks adding and removing an audience",
    },
];

/// Answers of the simulator that AWS's service models do not allow, although AWS itself gives them.
const BESIDE_THE_MODEL: [(&str, &str); 1] = [
    // EC2 API reference, InternetGatewayAttachment: an attached gateway is `available`; the enumeration does not have it.
    ("ec2: its gateway", "has the unknown value `available`"),
];

type Steps = BTreeMap<String, Value>;

/// Every step of the script by its name.
fn drive(url: &str) -> Steps {
    let verdict = python("drive.py", &[url], "");
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let steps: Vec<Value> = verdict.said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = steps.len();
    let steps: Steps =
        steps.into_iter().map(|step| (step["step"].as_str().unwrap().to_owned(), step)).collect();
    assert_eq!(steps.len(), count, "two steps have one name");
    steps
}

fn simulator() -> Simulator {
    // Bare, as moto begins: nothing is set in the management account.
    Simulator::start(Options { world: Some(World::new(Settings::default())), ..Options::default() }).unwrap()
}

/// A moto with the bucket that the script's trails write to; the simulator has no S3 and takes it to be there.
fn moto() -> Moto {
    let moto = Moto::start();
    let verdict = python("prepare_moto.py", &[moto.url(), "bucket", "acme-audit"], "");
    assert!(verdict.content, "{}", verdict.complained);
    moto
}

/// What a step says, in short.
fn brief(step: &Value) -> String {
    const MOST: usize = 90;
    if step.get("lacks").is_some() {
        return "lacks it".to_owned();
    }
    if let Some(error) = step.get("error").and_then(Value::as_str) {
        return format!("{error} {}", step["status"]);
    }
    let answer = step["answer"].to_string();
    match answer.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &answer[..end]),
        None => answer,
    }
}

/// Every difference that is not listed, and every line of the lists that is not needed.
fn surprises(simulator: &Steps, moto: &Steps, lacks: &[&str], differs: &[Pin]) -> Vec<String> {
    let mut surprises = Vec::new();
    let mut lacking = BTreeSet::new();
    let mut unused: BTreeMap<&str, &Pin> = differs.iter().map(|pin| (pin.step, pin)).collect();
    for name in simulator.keys().chain(moto.keys()).collect::<BTreeSet<_>>() {
        let (Some(ours), Some(theirs)) = (simulator.get(name), moto.get(name)) else {
            surprises.push(format!("`{name}` was reached at one of the two only"));
            continue;
        };
        for (who, step) in [("the simulator", ours), ("moto", theirs)] {
            if let Some(why) = step.get("unreadable") {
                surprises.push(format!("`{name}`: {who} gives AWS's client no answer it can read: {why}"));
            }
        }
        let call = ours["call"].as_str().unwrap_or_default();
        if theirs.get("lacks").is_some() {
            lacking.insert(call.to_owned());
            if !lacks.contains(&call) {
                surprises.push(format!("`{name}`: moto lacks `{call}`, which is not listed"));
            }
            continue;
        }
        let (ours, theirs) = (brief(ours), brief(theirs));
        match unused.remove(name.as_str()) {
            _ if ours == theirs && !differs.iter().any(|pin| pin.step == name) => {}
            Some(pin) if pin.simulator == ours && pin.moto == theirs && ours != theirs => {}
            Some(Pin { why, .. }) if ours == theirs => {
                surprises.push(format!("`{name}`: both say {ours}; take it from the list ({why})"));
            }
            Some(pin) => surprises.push(format!(
                "`{name}`: the simulator says {ours} (listed: {}), moto {theirs} (listed: {})",
                pin.simulator, pin.moto
            )),
            None => surprises.push(format!("`{name}`: the simulator says {ours}, moto {theirs}")),
        }
    }
    surprises
        .extend(unused.values().map(|pin| format!("`{}` is listed, and no step is called so", pin.step)));
    let needless = lacks.iter().filter(|call| !lacking.contains(**call));
    surprises.extend(
        needless.map(|call| format!("`{call}` is listed as lacking, and moto has it, or no step asks it")),
    );
    surprises
}

#[test]
fn the_simulator_answers_as_moto_does() {
    let (simulator, moto) = (simulator(), moto());
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| drive(&simulator.url()));
        let theirs = scope.spawn(|| drive(moto.url()));
        (ours.join().unwrap(), theirs.join().unwrap())
    });
    let surprises = surprises(&ours, &theirs, &LACKS, &DIFFERS);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    let lacking = theirs.values().filter(|step| step.get("lacks").is_some()).count();
    let alike = ours.len() - lacking - DIFFERS.len();
    println!("{} steps: {alike} alike, {lacking} that moto lacks, {} that differ", ours.len(), DIFFERS.len());

    // A list that is too long or too short is seen.
    let stale = surprises_with(&ours, &theirs, |lacks, _| lacks.push("sts.AssumeRole"));
    assert!(stale.iter().any(|said| said.contains("`sts.AssumeRole` is listed as lacking")), "{stale:?}");
    let stale =
        surprises_with(&ours, &theirs, |lacks, _| lacks.retain(|call| *call != "account.ListRegions"));
    assert!(stale.iter().any(|said| said.contains("which is not listed")), "{stale:?}");
    let stale = surprises_with(&ours, &theirs, |_, differs| differs.truncate(1));
    assert!(stale.iter().any(|said| said.contains("the simulator says")), "{stale:?}");
    let stale = surprises_with(&ours, &theirs, |_, differs| {
        differs.push(Pin { step: "sts: who am I", simulator: "", moto: "", why: "no reason" });
    });
    assert!(stale.iter().any(|said| said.contains("take it from the list (no reason)")), "{stale:?}");
    // And an answer of the simulator that changes.
    let mut disturbed = ours.clone();
    disturbed.get_mut("organizations: attached again").unwrap()["error"] = Value::from("ConflictException");
    let found = self::surprises(&disturbed, &theirs, &LACKS, &DIFFERS);
    assert_eq!(found.len(), 1, "{found:?}");
}

fn surprises_with(
    ours: &Steps,
    theirs: &Steps,
    change: impl Fn(&mut Vec<&str>, &mut Vec<Pin>),
) -> Vec<String> {
    let mut lacks = LACKS.to_vec();
    let mut differs: Vec<Pin> = DIFFERS
        .iter()
        .map(|pin| Pin { step: pin.step, simulator: pin.simulator, moto: pin.moto, why: pin.why })
        .collect();
    change(&mut lacks, &mut differs);
    surprises(ours, theirs, &lacks, &differs)
}

#[test]
fn every_raw_answer_of_the_simulator_is_one_that_aws_describes() {
    let simulator = simulator();
    let steps = drive(&simulator.url());
    let mut wrong = Vec::new();
    let mut beside: BTreeSet<&str> = BESIDE_THE_MODEL.iter().map(|(step, _)| *step).collect();
    for (name, step) in &steps {
        assert!(
            step.get("lacks").is_none() && step.get("unreadable").is_none(),
            "{step}: no answer for AWS's client"
        );
        for problem in step.get("wrong").and_then(Value::as_array).into_iter().flatten() {
            let problem = problem.as_str().unwrap();
            let known = BESIDE_THE_MODEL.iter().find(|(step, part)| step == name && problem.contains(part));
            match known {
                Some((step, _)) => {
                    beside.remove(step);
                }
                None => wrong.push(format!("{name}: {problem}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(beside.is_empty(), "no longer needed: {beside:?}");

    // What AWS's own client sends is right by the checker of calls, or the checker is wrong.
    let log: String =
        simulator.calls().iter().map(|call| serde_json::to_string(call).unwrap() + "\n").collect();
    let verdict = python("check_calls.py", &["-"], &log);
    // Except for the two things that the script gets wrong on purpose.
    let on_purpose = ["`MinimumPasswordLength` is 129", "`AccountAlias` is `Acme_Shop`"];
    let (known, others): (Vec<&str>, Vec<&str>) =
        verdict.said.lines().partition(|line| on_purpose.iter().any(|mistake| line.contains(mistake)));
    assert_eq!(known.len(), on_purpose.len(), "{known:?}");
    assert!(others.is_empty(), "{}\n{}", others.join("\n"), verdict.complained);
}

#[test]
fn the_judge_of_answers_can_fail() {
    // moto's own mistakes are the seeded faults: elements too many, members that are missing, a wrong status.
    let moto = moto();
    let steps = drive(moto.url());
    let said: String = steps.values().filter_map(|step| step.get("wrong")).map(ToString::to_string).collect();
    for part in [
        "required member `GroupArn` is missing",
        "unknown member `nextToken`",
        "`ResourceNotFoundException` comes with status 400, expected 404",
        "`PasswordPolicy.MaxPasswordAge` is 0, expected at least 1",
    ] {
        assert!(said.contains(part), "expected `{part}` in {said}");
    }
}
