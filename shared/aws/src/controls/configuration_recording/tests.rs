use landfall_model::desired::Standing;
use landfall_model::observed::Seen;

use super::super::scenario::{addresses, said};
use super::*;

const HOME: &str = "configuration-recording@eu-central-1/recorder";
const AWAY: &str = "configuration-recording@eu-west-1/recorder";
const ROLE: &str =
    "arn:aws:iam::222222222222:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

fn want() -> Value {
    json!({"aws": "acme-config", "asset-types": []})
}

/// As AWS answers it, as a look keeps it: recorder, channel and status.
fn config(name: &str, with_global: bool) -> Value {
    let recorders = json!({"ConfigurationRecorders": [
        {"name": "AWSConfigurationRecorderForX", "servicePrincipal": "x.amazonaws.com", "recordingScope": "INTERNAL"},
        {
            "arn": "a", "name": name, "roleARN": ROLE, "recordingScope": "PAID",
            "recordingGroup": {
                "allSupported": true, "includeGlobalResourceTypes": with_global, "resourceTypes": [],
                "exclusionByResourceTypes": {"resourceTypes": []},
                "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
            },
            "recordingMode": {"recordingFrequency": "CONTINUOUS"},
        },
    ]});
    let Recorders { configuration_recorders } = serde_json::from_value(recorders).unwrap();
    let channels =
        json!({"DeliveryChannels": [{"name": name, "s3BucketName": "acme-config", "snsTopicARN": "t"}]});
    let Channels { delivery_channels } = serde_json::from_value(channels).unwrap();
    super::super::json(&Config {
        recorder: configuration_recorders.into_iter().find(|one| one.service_principal.is_none()),
        channel: delivery_channels.into_iter().next(),
        recording: true,
        failure: None,
    })
}

fn changed(mut config: Value, at: &str, value: impl Into<Value>) -> Seen {
    *config.pointer_mut(at).unwrap() = value.into();
    Seen::Present(config)
}

fn without(mut config: Value, member: &str) -> Seen {
    config.as_object_mut().unwrap().remove(member);
    Seen::Present(config)
}

fn told(at: &str, seen: &Seen) -> String {
    said(&ConfigurationRecording, want(), Standing::Adopted, &[(at, seen.clone())]).remove(0)
}

#[test]
fn each_governed_region_has_its_recorder_where_a_bucket_is_named() {
    assert_eq!(addresses(&ConfigurationRecording, want()), [HOME, AWAY]);
    let nowhere = json!({"asset-types": []});
    assert_eq!(addresses(&ConfigurationRecording, nowhere.clone()), [""; 0]);
    let said = said(&ConfigurationRecording, nowhere, Standing::Adopted, &[]);
    assert_eq!(said, ["not applicable: no bucket is named for what AWS Config records"]);
}

#[test]
fn what_records_everything_and_delivers_there_needs_nothing_whoever_made_it() {
    for name in ["landfall", "default", "aws-controltower-BaselineConfigRecorder"] {
        assert_eq!(told(HOME, &Seen::Present(config(name, true))), "holds", "{name}");
        assert_eq!(told(AWAY, &Seen::Present(config(name, false))), "holds", "{name}");
    }
    // More than is asked, of others.
    assert_eq!(told(AWAY, &Seen::Present(config("default", true))), "holds");
    // A recorder of ours with a channel of others that goes to the right place.
    assert_eq!(told(HOME, &changed(config("landfall", true), "/channel/name", "default")), "holds");
    assert_eq!(told(HOME, &Seen::Unreadable("denied".to_owned())), "unknown: denied");
}

#[test]
fn what_is_missing_is_made_and_ours_is_put_right() {
    let made = |with_global: bool| {
        let mut made = config("landfall", with_global);
        made["channel"].as_object_mut().unwrap().remove("snsTopicARN");
        made["recorder"].as_object_mut().unwrap().remove("recordingMode");
        made
    };
    for (at, with_global) in [(HOME, true), (AWAY, false)] {
        let expected =
            format!("fails: nothing records how resources are set up\n+ create {}", made(with_global));
        assert_eq!(told(at, &Seen::Absent), expected);
    }
    let ours = || config("landfall", true);
    let table = [
        (changed(ours(), "/recorder/recordingGroup/allSupported", false), "leaves types of resources out"),
        (
            changed(
                ours(),
                "/recorder/recordingGroup/recordingStrategy/useOnly",
                "EXCLUSION_BY_RESOURCE_TYPES",
            ),
            "leaves types of resources out",
        ),
        (
            changed(ours(), "/recorder/recordingGroup/includeGlobalResourceTypes", false),
            "leaves out IAM's resources, which no other region records",
        ),
        (
            changed(ours(), "/recorder/roleARN", "arn:aws:iam::222222222222:role/x"),
            "records as `arn:aws:iam::222222222222:role/x`",
        ),
        (changed(ours(), "/recording", false), "stands still"),
    ];
    for (seen, how) in table {
        // How often, and whom it tells, stays.
        let expected = format!("fails: the recorder `landfall` {how}\n~ update {}", ours());
        assert_eq!(told(HOME, &seen), expected);
    }
    let elsewhere = changed(ours(), "/channel/s3BucketName", "elsewhere");
    let expected = format!("fails: AWS Config delivers to `elsewhere`\n~ update {}", ours());
    assert_eq!(told(HOME, &elsewhere), expected);
    assert!(told(HOME, &without(ours(), "channel")).starts_with("fails: nothing is delivered\n~ update "));
    assert!(
        told(AWAY, &Seen::Present(ours())).starts_with(
            "fails: the recorder `landfall` records IAM's resources, which the home region does\n"
        )
    );
}

#[test]
fn what_others_set_up_is_reported_and_left_alone() {
    let theirs = || config("default", true);
    let why = "others set AWS Config up here, and AWS allows one recorder and one channel in a region";
    let table = [
        (changed(theirs(), "/channel/s3BucketName", "elsewhere"), "AWS Config delivers to `elsewhere`"),
        (
            changed(
                config("landfall", true),
                "/channel",
                json!({"name": "default", "s3BucketName": "elsewhere"}),
            ),
            "AWS Config delivers to `elsewhere`",
        ),
        (changed(theirs(), "/recording", false), "the recorder `default` stands still"),
        (
            changed(theirs(), "/recorder/recordingGroup/allSupported", false),
            "the recorder `default` leaves types of resources out",
        ),
        (
            changed(theirs(), "/recorder/recordingGroup/includeGlobalResourceTypes", false),
            "the recorder `default` leaves out IAM's resources, which no other region records",
        ),
        (without(theirs(), "channel"), "nothing is delivered"),
    ];
    for (seen, how) in table {
        assert_eq!(told(HOME, &seen), format!("fails: {how}: {why}"));
    }
    let mut failing = config("landfall", true);
    failing["failure"] = json!("AccessDenied");
    let expected = "fails: AWS Config records and can't deliver: `AccessDenied`";
    assert_eq!(told(HOME, &Seen::Present(failing)), expected);
}
