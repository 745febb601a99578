//! AWS's own client drives the simulator and moto, an emulator that nobody here wrote, by the same script, and both say the same.
//!
//! Where they differ, the two lists of `differences` say what each says and why, and both answers are pinned: a difference that is not listed
//! fails, and so does a line that is no longer needed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod differences;

use std::collections::{BTreeMap, BTreeSet};

use landfall_simulator::{Options, Settings, Simulator, World};
use landfall_tests::judges::{Moto, python};
use serde_json::Value;

use differences::{DIFFERS, LACKS, Pin};

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
