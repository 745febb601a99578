//! What has to hold in the templates themselves, and above all what moto can't judge: it makes no policies of queues, buckets and buses, no
//! alarms and no schedule, and it runs no function.

use std::collections::BTreeSet;

use landfall_function_aws::trigger::parse;
use landfall_model::trigger::{Contents, Trigger};
use landfall_simulator::lambda::sqs_event;
use landfall_tests::judges::root;
use serde_json::{Value, json};

const MANAGEMENT: &str = "111111111111";

/// Services that are named as whom to trust, or whose roles may be made: they have the same name in every partition.
const SERVICES: [&str; 10] = [
    "access-analyzer",
    "cloudtrail",
    "cloudwatch",
    "config",
    "events",
    "guardduty",
    "lambda",
    "malware-protection.guardduty",
    "scheduler",
    "securityhub",
];

const NAMES: [&str; 3] = ["controller", "management", "member"];

fn at<'a>(all: &'a Value, pointer: &str) -> &'a Value {
    all.pointer(pointer).unwrap_or(&Value::Null)
}

/// A resource's properties.
fn properties<'a>(all: &'a Value, template: &str, resource: &str) -> &'a Value {
    at(all, &format!("/{template}/Resources/{resource}/Properties"))
}

fn of_controller<'a>(all: &'a Value, resource: &str) -> &'a Value {
    properties(all, "controller", resource)
}

fn reference(to: &str) -> Value {
    json!({"Ref": to})
}

fn arn_of(resource: &str) -> Value {
    json!({"Fn::GetAtt": [resource, "Arn"]})
}

fn filled(with: &str) -> Value {
    json!({"Fn::Sub": with})
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn resources<'a>(all: &'a Value, template: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    all[template]["Resources"].as_object().into_iter().flatten()
}

/// A policy's statement by its name.
fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
    let found = policy["Statement"].as_array().into_iter().flatten();
    found.into_iter().find(|statement| statement["Sid"] == sid).unwrap_or(&Value::Null)
}

/// What a policy allows, by name.
fn actions(policy: &Value) -> BTreeSet<&str> {
    let all = policy["Statement"].as_array().into_iter().flatten();
    all.flat_map(|one| {
        one["Action"].as_str().map_or_else(|| texts(&one["Action"]), |one| BTreeSet::from([one]))
    })
    .collect()
}

fn nothing_is_everything(policy: &Value) -> bool {
    policy["Statement"].as_array().into_iter().flatten().all(|one| one["Resource"] != "*")
}

/// What the function may do where records are: in its own bucket (1), or on another cloud (2).
fn of_records(all: &Value, which: usize) -> &Value {
    &of_controller(all, "FunctionRole")["Policies"][1]["Fn::If"][which]["PolicyDocument"]
}

fn refuses_plain_connections(policy: &Value, action: &str, resources: &Value) -> bool {
    let denied = statement(policy, "OnlyEncryptedConnections");
    denied["Effect"] == "Deny"
        && denied["Principal"] == "*"
        && denied["Action"] == action
        && denied["Resource"] == *resources
        && denied["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
}

/// What the events are called that make the function do something, in the samples.
fn heard() -> BTreeSet<String> {
    let folder = root().join("events/aws");
    let json = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let expected = json("expected.json");
    let mut heard = BTreeSet::new();
    for (file, expected) in expected.as_object().unwrap() {
        let acts = ["created", "creation-failed", "joined", "moved", "closed"];
        if acts.iter().any(|word| expected["trigger"]["trigger"] == *word) {
            heard.insert(json(file)["detail"]["eventName"].as_str().unwrap().to_owned());
        }
    }
    assert!(heard.len() > 5, "{heard:?}");
    heard
}

fn listens_to_what_is_heard(pattern: &Value) -> bool {
    let heard = heard();
    texts(&pattern["source"]) == BTreeSet::from(["aws.organizations", "aws.controltower"])
        && texts(&pattern["detail-type"])
            == BTreeSet::from(["AWS Service Event via CloudTrail", "AWS API Call via CloudTrail"])
        && texts(&pattern["detail"]["eventName"]) == heard.iter().map(String::as_str).collect()
}

/// Alarms on one thing going wrong at all.
fn tells(alarm: &Value, namespace: &str, metric: &str, dimension: &Value) -> bool {
    alarm["Namespace"] == namespace
        && alarm["MetricName"] == metric
        && alarm["Dimensions"] == json!([dimension])
        && alarm["Threshold"] == 0
        && alarm["ComparisonOperator"] == "GreaterThanThreshold"
}

const TRUSTED: &str = "arn:${AWS::Partition}:iam::${ControllerAccount}:role/${ControllerRole}";

fn trusts_the_function_only(role: &Value) -> bool {
    role["AssumeRolePolicyDocument"]["Statement"]
        == json!([{
            "Sid": "OnlyTheFunction",
            "Effect": "Allow",
            "Principal": {"AWS": filled("arn:${AWS::Partition}:iam::${ControllerAccount}:root")},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "sts:ExternalId": reference("ExternalId"),
                    "aws:PrincipalOrgID": reference("OrganizationId"),
                },
                "ArnEquals": {"aws:PrincipalArn": filled(TRUSTED)},
            },
        }])
}

/// What a rule says, and whether it holds.
pub(super) type Rule = (&'static str, fn(&Value) -> bool);

pub(super) const RULES: [Rule; 33] = [
    ("no macro", |all| NAMES.iter().all(|name| all[name].get("Transform").is_none())),
    ("plain ASCII, which is all that CloudFormation keeps of a description", |all| {
        NAMES.iter().all(|name| all["text"][name].as_str().unwrap().is_ascii())
    }),
    ("no partition is named", |all| {
        NAMES.iter().all(|name| {
            !["arn:aws", ".amazonaws.com\""].iter().any(|named| {
                let resources = all[name]["Resources"].to_string();
                let others = SERVICES.iter().fold(resources, |text, service| {
                    text.replace(&format!("\"{service}.amazonaws.com\""), "\"\"")
                });
                others.contains(named)
            })
        })
    }),
    ("every parameter has a group, a label and a description", |all| {
        NAMES.iter().all(|name| {
            let parameters = all[name]["Parameters"].as_object().unwrap();
            let interface = &all[name]["Metadata"]["AWS::CloudFormation::Interface"];
            let groups = interface["ParameterGroups"].as_array().unwrap();
            let grouped: Vec<&str> = groups.iter().flat_map(|group| texts(&group["Parameters"])).collect();
            let labelled = interface["ParameterLabels"].as_object().unwrap();
            grouped.len() == parameters.len()
                && grouped.iter().all(|name| parameters.contains_key(*name))
                && labelled.keys().eq(parameters.keys())
                && parameters.values().all(|one| one["Description"].is_string())
        })
    }),
    ("what holds evidence stays, the rest goes", |all| {
        let stays = BTreeSet::from(["Key", "Records", "RecordsPolicy"]);
        NAMES.iter().all(|name| {
            resources(all, name).all(|(id, resource)| {
                let kept = *name == "controller" && stays.contains(id.as_str());
                ["DeletionPolicy", "UpdateReplacePolicy"].iter().all(|policy| {
                    let said = resource.get(policy).and_then(Value::as_str).unwrap_or("Delete");
                    (said == "Retain") == kept
                })
            })
        })
    }),
    ("the function is what the package is built for", |all| {
        let function = of_controller(all, "Function");
        function["Architectures"] == json!(["x86_64"])
            && function["Runtime"] == "provided.al2023"
            && function["Code"]["S3Bucket"] == reference("PackageBucket")
            && function["Code"]["S3Key"] == reference("PackageKey")
    }),
    ("a message stays hidden for six times the function's time", |all| {
        let hidden = of_controller(all, "Queue")["VisibilityTimeout"].as_u64().unwrap_or_default();
        hidden >= 6 * of_controller(all, "Function")["Timeout"].as_u64().unwrap()
    }),
    ("what fails again and again is set aside", |all| {
        of_controller(all, "Queue")["RedrivePolicy"]
            == json!({"deadLetterTargetArn": arn_of("DeadLetters"), "maxReceiveCount": 5})
            && at(all, "/controller/Resources/DeadLetters/Type") == "AWS::SQS::Queue"
    }),
    ("only messages that failed come again", |all| {
        let work = of_controller(all, "Work");
        work["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"])
            && work["EventSourceArn"] == arn_of("Queue")
            && work["Enabled"] == true
    }),
    ("only the bus' rule and this account put on the queue", |all| {
        let policy = of_controller(all, "QueuePolicy");
        let both = json!([arn_of("Queue"), arn_of("DeadLetters")]);
        policy["Queues"] == json!([reference("Queue"), reference("DeadLetters")])
            && policy["PolicyDocument"]["Statement"].as_array().is_some_and(|all| all.len() == 2)
            && *statement(&policy["PolicyDocument"], "OnlyThisRule")
                == json!({
                    "Sid": "OnlyThisRule",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": both,
                    "Condition": {"ArnEquals": {"aws:SourceArn": arn_of("TenantEvents")}},
                })
            && refuses_plain_connections(&policy["PolicyDocument"], "sqs:*", &both)
    }),
    ("the bus' rule brings what the function listens to, from the management account, to the queue", |all| {
        let rule = of_controller(all, "TenantEvents");
        listens_to_what_is_heard(&rule["EventPattern"])
            && rule["EventPattern"]["account"] == json!([reference("ManagementAccount")])
            && rule["EventBusName"] == json!({"Fn::GetAtt": ["Bus", "Name"]})
            && rule["Targets"]
                == json!([{
                    "Id": "queue",
                    "Arn": arn_of("Queue"),
                    "DeadLetterConfig": {"Arn": arn_of("DeadLetters")},
                }])
    }),
    ("only the management account's forwarding puts on the bus", |all| {
        let policy = of_controller(all, "BusPolicy");
        policy["Statement"]
            == json!({
                "Effect": "Allow",
                "Principal": {"AWS": filled("arn:${AWS::Partition}:iam::${ManagementAccount}:root")},
                "Action": "events:PutEvents",
                "Resource": arn_of("Bus"),
                "Condition": {"ArnEquals": {"aws:PrincipalArn": filled("arn:${AWS::Partition}:iam::${ManagementAccount}:role/${ForwardRole}")}},
            })
    }),
    ("the schedule's message is one that the function takes for a schedule", |all| {
        let target = &of_controller(all, "Schedule")["Target"];
        let input = target["Input"].as_str().unwrap();
        let Ok(Trigger::Work { messages }) = parse(&sqs_event([("1", input)]), MANAGEMENT) else {
            return false;
        };
        target["Arn"] == arn_of("Queue")
            && matches!(&messages.first().unwrap().work, Contents::Event(trigger) if **trigger == Trigger::Scheduled)
    }),
    ("the bucket keeps every version, encrypted, and nobody outside sees it", |all| {
        let bucket = of_controller(all, "Records");
        let closed = bucket["PublicAccessBlockConfiguration"].as_object();
        let encrypted = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"];
        bucket["VersioningConfiguration"]["Status"] == "Enabled"
            && closed.is_some_and(|four| four.len() == 4 && four.values().all(|one| *one == true))
            && *encrypted == json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn_of("Key")})
            && bucket["OwnershipControls"]["Rules"] == json!([{"ObjectOwnership": "BucketOwnerEnforced"}])
    }),
    ("object lock is a choice", |all| {
        let bucket = of_controller(all, "Records");
        bucket["ObjectLockEnabled"] == json!({"Fn::If": ["IsLocked", true, reference("AWS::NoValue")]})
            && bucket["ObjectLockConfiguration"]["Fn::If"][0] == "IsLocked"
            && at(all, "/controller/Parameters/ObjectLock/Default") == "off"
    }),
    ("the bucket takes no plain connection", |all| {
        let resources = json!([arn_of("Records"), filled("${Records.Arn}/*")]);
        refuses_plain_connections(&of_controller(all, "RecordsPolicy")["PolicyDocument"], "s3:*", &resources)
    }),
    ("the key is turned every year, and only this function's logs use it besides this account", |all| {
        let key = of_controller(all, "Key");
        let logs = statement(&key["KeyPolicy"], "ThisFunctionsLogs");
        let account = statement(&key["KeyPolicy"], "ThisAccountsOwnPolicies");
        key["EnableKeyRotation"] == true
            && key["KeyPolicy"]["Statement"].as_array().is_some_and(|all| all.len() == 2)
            && account["Principal"]
                == json!({"AWS": filled("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")})
            && logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]["Fn::Sub"]
                .as_str()
                .is_some_and(|arn| arn.ends_with(":log-group:/landfall/${AWS::StackName}"))
            && of_controller(all, "Logs")["LogGroupName"] == filled("/landfall/${AWS::StackName}")
    }),
    ("logs are kept for as long as is said", |all| {
        of_controller(all, "Logs")["RetentionInDays"] == reference("LogRetentionDays")
            && of_controller(all, "Function")["LoggingConfig"]["LogGroup"] == reference("Logs")
    }),
    ("the function may become the two roles of this organization, and reach what is its own", |all| {
        let role = of_controller(all, "FunctionRole");
        let policy = &role["Policies"][0]["PolicyDocument"];
        let enters = statement(policy, "EnterAccountsOfThisOrganization");
        role["Policies"].as_array().is_some_and(|all| all.len() == 2)
            && role.get("ManagedPolicyArns").is_none()
            && enters["Resource"]
                == json!([
                    filled("arn:${AWS::Partition}:iam::*:role/${ReadRole}"),
                    filled("arn:${AWS::Partition}:iam::*:role/${WriteRole}")
                ])
            && enters["Condition"]
                == json!({"StringEquals": {"aws:ResourceOrgID": reference("OrganizationId")}})
            && nothing_is_everything(policy)
            && actions(policy)
                == BTreeSet::from([
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                    "sqs:SendMessage",
                    "sts:AssumeRole",
                ])
    }),
    ("the function writes records into its bucket, where it has one, and nothing else", |all| {
        let policy = of_records(all, 1);
        statement(policy, "WriteRecords")["Resource"] == filled("${Records.Arn}/store/*")
            && nothing_is_everything(policy)
            && actions(policy)
                == BTreeSet::from([
                    "kms:Decrypt",
                    "kms:GenerateDataKey",
                    "s3:GetObject",
                    "s3:ListBucket",
                    "s3:PutObject",
                ])
    }),
    ("where the store is elsewhere, the function gets tokens for it and for nobody else", |all| {
        let policy = of_records(all, 2);
        let token = statement(policy, "ProveItselfToTheStore");
        let key = "sts:IdentityTokenAudience";
        actions(policy) == BTreeSet::from(["sts:GetWebIdentityToken"])
            && token["Condition"]
                == json!({"ForAllValues:StringEquals": {key: reference("StoreAudience")}, "Null": {key: "false"}})
    }),
    ("a bucket is made where the store is nowhere else, and the function is told where it is", |all| {
        let variables = &of_controller(all, "Function")["Environment"]["Variables"];
        let either = |own: Value, elsewhere: Value| json!({"Fn::If": ["HasOwnStore", own, elsewhere]});
        let made = |resource: &str| &all["controller"]["Resources"][resource]["Condition"];
        all["controller"]["Conditions"]["HasOwnStore"] == json!({"Fn::Equals": [reference("Store"), ""]})
            && ["Records", "RecordsPolicy"].iter().all(|one| made(one) == "HasOwnStore")
            && variables["LANDFALL_STORE"] == either(filled("s3://${Records}/store"), reference("Store"))
            && variables["LANDFALL_MANIFEST"]
                == either(filled("s3://${Records}/bundle.json"), reference("Bundle"))
            && ["Identity", "Audience"].iter().all(|one| {
                variables[format!("LANDFALL_STORE_{}", one.to_uppercase())]
                    == either(reference("AWS::NoValue"), reference(&format!("Store{one}")))
            })
    }),
    ("a store elsewhere is said whole or not at all", |all| {
        let rules = &all["controller"]["Rules"];
        let asserted = |rule: &str| -> Vec<Value> {
            let all = rules[rule]["Assertions"].as_array().into_iter().flatten();
            all.map(|one| one["Assert"].clone()).collect()
        };
        let not = |condition: Value| json!({"Fn::Not": [condition]});
        let empty = |parameter: &str| json!({"Fn::Equals": [reference(parameter), ""]});
        let others = ["Bundle", "StoreIdentity", "StoreAudience"];
        rules["AStoreElsewhereIsWhole"]["RuleCondition"] == not(empty("Store"))
            && asserted("AStoreElsewhereIsWhole") == others.map(|one| not(empty(one)))
            && rules["NothingElsewhereWithoutAStore"]["RuleCondition"] == empty("Store")
            && asserted("NothingElsewhereWithoutAStore") == others.map(empty)
    }),
    ("a sweep that was not finished is missed", |all| {
        let filter = of_controller(all, "SweepClosed");
        let metric = &filter["MetricTransformations"][0];
        let alarm = of_controller(all, "SweepMissed");
        filter["LogGroupName"] == reference("Logs")
            && alarm["TreatMissingData"] == "breaching"
            && alarm["Namespace"] == metric["MetricNamespace"]
            && alarm["MetricName"] == metric["MetricName"]
            && alarm["ComparisonOperator"] == "LessThanThreshold"
            && alarm["Threshold"] == 1
            && at(all, "/controller/Parameters/LogLevel/AllowedValues") == &json!(["info", "debug"])
    }),
    ("another cloud's silence is told", |all| {
        let filter = of_controller(all, "SilenceHeard");
        let metric = &filter["MetricTransformations"][0];
        let alarm = of_controller(all, "AnotherCloudSilent");
        filter["LogGroupName"] == reference("Logs")
            && filter["FilterPattern"] == r#"{ $.message = "another cloud is silent" }"#
            && alarm["Namespace"] == metric["MetricNamespace"]
            && alarm["MetricName"] == metric["MetricName"]
            && alarm["ComparisonOperator"] == "GreaterThanThreshold"
            && alarm["Threshold"] == 0
    }),
    ("letters that nobody reads are told", |all| {
        let name = json!({"Fn::GetAtt": ["DeadLetters", "QueueName"]});
        let dimension = json!({"Name": "QueueName", "Value": name});
        let alarm = of_controller(all, "DeadLettersWaiting");
        tells(alarm, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &dimension)
    }),
    ("errors and throttles are told", |all| {
        let dimension = json!({"Name": "FunctionName", "Value": reference("Function")});
        tells(of_controller(all, "FunctionErrors"), "AWS/Lambda", "Errors", &dimension)
            && tells(of_controller(all, "FunctionThrottles"), "AWS/Lambda", "Throttles", &dimension)
    }),
    ("every alarm goes to its stack's topic", |all| {
        ["controller", "management"].iter().all(|name| {
            resources(all, name)
                .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
                .all(|(_, alarm)| alarm["Properties"]["AlarmActions"] == json!([reference("Topic")]))
        })
    }),
    ("the events of Organizations are forwarded by a role of its own", |all| {
        let rule = properties(all, "management", "TenantEvents");
        listens_to_what_is_heard(&rule["EventPattern"])
            && rule["EventPattern"]["account"] == json!([reference("AWS::AccountId")])
            && rule.get("EventBusName").is_none()
            && rule["Targets"]
                == json!([{"Id": "landfall", "Arn": reference("BusArn"), "RoleArn": arn_of("Forwarding")}])
            && properties(all, "management", "Forwarding")["RoleName"] == reference("ForwardRole")
            && properties(all, "management", "Forwarding")["Policies"][0]["PolicyDocument"]["Statement"]
                == json!([{"Sid": "OnlyLandfallsBus", "Effect": "Allow", "Action": "events:PutEvents", "Resource": reference("BusArn")}])
    }),
    ("every account gets the roles by itself", |all| {
        let set = properties(all, "management", "MemberRoles");
        set["PermissionModel"] == "SERVICE_MANAGED"
            && set["AutoDeployment"] == json!({"Enabled": true, "RetainStacksOnAccountRemoval": false})
            && set["StackInstancesGroup"][0]["DeploymentTargets"]["OrganizationalUnitIds"]
                == reference("OrganizationalUnits")
            && set["TemplateURL"] == reference("MemberTemplateUrl")
    }),
    ("members and the management account get the same template with every parameter", |all| {
        let wanted: BTreeSet<&str> =
            all["member"]["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
        let set = properties(all, "management", "MemberRoles");
        let own = properties(all, "management", "ManagementRoles");
        let given: BTreeSet<&str> = set["Parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["ParameterKey"].as_str())
            .collect();
        let in_own: BTreeSet<&str> =
            own["Parameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        given == wanted
            && in_own == wanted
            && own["TemplateURL"] == set["TemplateURL"]
            && own["Parameters"]["InManagementAccount"] == "yes"
    }),
    ("both roles in an account trust the function's role and nobody else", |all| {
        ["LookingRole", "WritingRole"]
            .iter()
            .all(|role| trusts_the_function_only(properties(all, "member", role)))
    }),
    ("the role to look with never writes, and the organization is reached from its account alone", |all| {
        let both = json!([reference("LookingRole"), reference("WritingRole")]);
        let writing = json!([reference("WritingRole")]);
        let reaches =
            |name: &str| at(all, &format!("/member/Resources/{name}/Condition")) == "ReachesTheOrganization";
        let organizations = |name: &str| {
            let policy = &properties(all, "member", name)["PolicyDocument"]["Statement"][0]["Action"];
            texts(policy)
                .iter()
                .map(|action| {
                    ["organizations:", "sso:", "identitystore:"].iter().any(|of| action.starts_with(of))
                })
                .collect::<BTreeSet<bool>>()
        };
        properties(all, "member", "Reading")["Roles"] == both
            && properties(all, "member", "ReadingTheOrganization")["Roles"] == both
            && properties(all, "member", "Writing")["Roles"] == writing
            && properties(all, "member", "WritingTheOrganization")["Roles"] == writing
            && reaches("ReadingTheOrganization")
            && reaches("WritingTheOrganization")
            && organizations("Reading") == BTreeSet::from([false])
            && organizations("Writing") == BTreeSet::from([false])
            && organizations("ReadingTheOrganization") == BTreeSet::from([true])
            && organizations("WritingTheOrganization") == BTreeSet::from([true])
    }),
];
