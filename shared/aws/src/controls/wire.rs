//! The tenant's settings against an emulator of AWS (moto or another), found by `AWS_ENDPOINT_URL`: look, write what is asked, look
//! again, and nothing is left to do. What the emulator does not know is printed and not counted as held.
//!
//! `AWS_ENDPOINT_URL=http://127.0.0.1:5000 cargo test -p landfall-aws settings_are -- --ignored --nocapture`

use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::RunId;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use serde_json::json;

use super::{Offer, ground, offer, scenario};
use crate::client::Aws;
use crate::session::{Door, Reader};

type Any = &'static dyn AnyControl<super::Aws>;

async fn judge(control: Any, reader: &Reader, desired: &Desired) -> Vec<Judgement> {
    let mut observed = Observed::default();
    for address in control.addresses(&desired.asked[0], desired) {
        let seen = control.look(reader, desired, &address).await.seen;
        observed.0.insert(address, Look { seen, at: jiff::Timestamp::UNIX_EPOCH, request: None });
    }
    control.judge(&desired.asked[0], desired, &observed)
}

/// Makes what is asked of one control hold; answers how many settings were seen to hold in the end.
async fn held(door: &Door, kind: ControlKind, settings: serde_json::Value) -> usize {
    let Offer::Control(control) = offer(kind) else { panic!("{kind} is not offered") };
    let desired = scenario::desired(kind, settings, Standing::New);
    let run = RunId::new(jiff::Timestamp::UNIX_EPOCH, 1);
    let (reader, writer) = (door.reader("222222222222", &run), door.writer("222222222222", &run));
    for judgement in judge(control, &reader, &desired).await {
        let Verdict::Fails { changes, why } = judgement.verdict else { continue };
        println!("{}: {why}", judgement.address);
        for change in changes {
            for turn in ["once", "twice"] {
                let written = control.write(&writer, &change, &Made::new()).await;
                assert!(written.is_ok(), "{} {turn}: {written:?}", change.id);
            }
        }
    }
    let mut held = 0;
    for judgement in judge(control, &reader, &desired).await {
        match judgement.verdict {
            Verdict::Holds => held += 1,
            Verdict::Unknown { why } => println!("{}: unknown: {why}", judgement.address),
            Verdict::Fails { why, changes } if changes.is_empty() => println!("{}: {why}", judgement.address),
            verdict @ (Verdict::Fails { .. } | Verdict::Due { .. } | Verdict::NotApplicable { .. }) => {
                panic!("{}: {verdict:?}", judgement.address)
            }
        }
    }
    held
}

#[tokio::test]
#[ignore = "needs an emulator of AWS at AWS_ENDPOINT_URL"]
async fn settings_are_written_once_and_then_hold() {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap();
    let aws = Aws::loopback(&endpoint, "eu-central-1").await.unwrap();
    let desired = scenario::desired(ControlKind::RootMfa, json!({}), Standing::New);
    let door = Door::new(aws, ground(&desired).unwrap().clone());
    let contact = json!({"email": "soc@example.com"});
    let contacts = json!({"contacts": {"security": contact, "operations": contact, "billing": contact}});
    let budget = json!({
        "budget": {"monthly": 2000, "currency": "USD", "alert-at": [80]}, "recipients": ["a@example.com"],
    });
    let table = [
        (
            ControlKind::PasswordPolicy,
            json!({
                "minimum-length": 14, "require-symbols": true, "require-numbers": true, "require-uppercase": true,
                "require-lowercase": true, "reuse-prevention": 24,
            }),
        ),
        (ControlKind::AccountAlias, json!({"alias": "acme-shop-test"})),
        (ControlKind::SecurityContacts, contacts),
        (ControlKind::Budget, budget),
        (
            ControlKind::Federation,
            json!({"providers": {"gitlab": {"issuer": "https://gitlab.com", "aws": {"audiences": ["https://gitlab.com"]}}}}),
        ),
        (ControlKind::NoRootKeys, json!({})),
        (ControlKind::RootMfa, json!({})),
        (ControlKind::BlockPublicStorage, json!({})),
        (ControlKind::EncryptByDefault, json!({})),
        (ControlKind::EncryptByDefault, json!({"key": "alias/disks"})),
        (ControlKind::BlockPublicSnapshots, json!({"also-existing": true})),
        (ControlKind::BlockPublicImages, json!({})),
        (ControlKind::HardenedInstances, json!({"require-tokens": true, "hop-limit": 2})),
        (ControlKind::ExternalAccessAnalysis, json!({"unused-access": true, "unused-days": 90})),
        (ControlKind::ThreatDetection, json!({"aws": ["S3_DATA_EVENTS"], "azure": [], "gcp": []})),
        (
            ControlKind::StandardsAssessment,
            json!({"aws": ["aws-foundational-security-best-practices/v/1.0.0"], "azure": [], "gcp": []}),
        ),
        (ControlKind::ConfigurationRecording, json!({"aws": "acme-audit", "asset-types": []})),
        // Nobody there is the organization's management account: this one only looks.
        (ControlKind::AuditLog, json!({"aws": "acme-audit"})),
        (ControlKind::ClosedDefaultSecurityGroups, json!({})),
        (ControlKind::NoDefaultNetwork, json!({})),
        (ControlKind::RegionOptIn, json!({"aws": ["eu-central-2"]})),
    ];
    let mut all = 0;
    for (kind, settings) in table {
        let held = held(&door, kind, settings).await;
        println!("{kind}: {held} held");
        all += held;
    }
    // With moto 5.2.5.
    assert!(all >= 12, "{all}");
}
