//! A tenant to try controls on: what is asked, what was seen, and what is said of it.

use landfall_engine::control::{AnyControl, Judge};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired, Standing};
use landfall_model::id::RunId;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{AwsCloud, AwsRoles, Cloud, Handover, Manage, Mode};
use landfall_model::observed::{Look, Observed, Seen};
use landfall_model::record::Record;
use serde_json::Value;

use super::Aws;

/// A tenant that is asked one thing. Its regions are eu-central-1, its home, and eu-west-1.
pub(super) fn desired(kind: ControlKind, settings: Value, standing: Standing) -> Desired {
    let target: landfall_model::target::Target = "aws/222222222222".parse().unwrap();
    let run = RunId::new(jiff::Timestamp::UNIX_EPOCH, 1);
    Desired {
        target: target.clone(),
        cloud: "aws".parse().unwrap(),
        ground: Cloud::Aws(AwsCloud {
            organization: "o-a1b2c3d4e5".to_owned(),
            management_account: "111111111111".to_owned(),
            controller_account: "111111111111".to_owned(),
            home_region: "eu-central-1".parse().unwrap(),
            regions: vec!["eu-central-1".parse().unwrap(), "eu-west-1".parse().unwrap()],
            roles: AwsRoles {
                read: "landfall-read".to_owned(),
                write: "landfall-write".to_owned(),
                controller: None,
                external_id: None,
                bootstrap: vec![],
            },
            manage: Manage::Full,
        }),
        break_glass: vec![],
        organization: "acme".parse().unwrap(),
        standing,
        record: Record::new(target, &run),
        facts: None,
        asked: vec![Asked {
            control: kind,
            names: vec![],
            settings: Ok(settings),
            sources: vec![],
            satisfies: vec![],
            mode: Mode::Repair,
            handover: Handover::Required,
        }],
        exemptions: vec![],
    }
}

/// The addresses that are looked at, as people write them.
pub(super) fn addresses<C>(control: &C, settings: Value) -> Vec<String>
where
    C: Judge<On = Aws>,
{
    let desired = desired(C::KIND, settings, Standing::Adopted);
    AnyControl::addresses(control, &desired.asked[0], &desired).iter().map(ToString::to_string).collect()
}

/// What is said of each setting that was looked at, in a line.
pub(super) fn said<C>(control: &C, settings: Value, standing: Standing, saw: &[(&str, Seen)]) -> Vec<String>
where
    C: Judge<On = Aws>,
{
    let desired = desired(C::KIND, settings, standing);
    let looks = saw.iter().map(|(address, seen)| {
        let look = Look { seen: seen.clone(), at: jiff::Timestamp::UNIX_EPOCH, request: None };
        (address.parse().unwrap(), look)
    });
    let observed = Observed(looks.collect());
    AnyControl::judge(control, &desired.asked[0], &desired, &observed)
        .iter()
        .filter(|judgement| observed.0.contains_key(&judgement.address) || observed.0.is_empty())
        .map(line)
        .collect()
}

fn line(judgement: &Judgement) -> String {
    let (word, why, changes) = match &judgement.verdict {
        Verdict::Holds => return "holds".to_owned(),
        Verdict::Fails { why, changes } => ("fails", why, changes.as_slice()),
        Verdict::Due { why, changes } => ("due", why, changes.as_slice()),
        Verdict::Unknown { why } => ("unknown", why, &[][..]),
        Verdict::NotApplicable { why } => ("not applicable", why, &[][..]),
    };
    let mut line = format!("{word}: {why}");
    for change in changes {
        line.push_str(&format!("\n{} {}", change.deed.sign(), change.verb));
        if let Some(after) = &change.after {
            line.push_str(&format!(" {after}"));
        }
        if change.loses {
            line.push_str(" (loses)");
        }
    }
    line
}
