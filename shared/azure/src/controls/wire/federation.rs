//! Who elsewhere may become an identity, over the wire.

use landfall_engine::cloud::Made;
use landfall_model::catalog::ControlKind;
use landfall_model::judgement::Verdict;
use serde_json::{Value, json};

use super::super::landscape::{Landscape, subscription};
use super::{Offer, Wire, offer};

const KIND: ControlKind = ControlKind::Federation;
const CREDENTIAL: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

fn asking(subjects: Value) -> Landscape {
    let azure = json!({"identity": "deployer", "resource-group": "identities", "subjects": subjects});
    let github = json!({"issuer": "https://token.actions.githubusercontent.com", "azure": azure});
    Landscape::adopted(2).asks(KIND, json!({"providers": {"github": github}}))
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_are_let_in_put_right_and_kept_out_beside_those_of_others() {
    let wire = Wire::new(|_| {});
    let desired = asking(json!(["repo:acme/one", "repo:acme/two"])).desired;
    let wrong = wire.held(KIND, &desired).await;
    assert_eq!(wrong[..2], ["there is no resource group `identities`", "there is no identity `deployer`"]);
    assert_eq!(wrong.len(), 4);
    assert_eq!(wire.held(KIND, &desired).await, [""; 0]);

    let kept = || {
        wire.simulator.read(|world| {
            let group = &world.subscription(&subscription(2)).unwrap().resource_groups["identities"];
            let all = group.resources.values().filter(|one| one.kind == CREDENTIAL);
            all.map(|one| (one.resource.name.clone(), one.resource.text("subject").to_owned()))
                .collect::<Vec<_>>()
        })
    };
    let before = kept();
    wire.simulator.edit(|world| {
        let group =
            world.subscription_mut(&subscription(2)).unwrap().resource_groups.get_mut("identities").unwrap();
        let ours =
            group.resources.values_mut().find(|one| one.resource.text("subject") == "repo:acme/one").unwrap();
        ours.resource.set("subject", "repo:evil/one");
        let theirs = json!({"issuer": "https://gitlab.com", "subject": "theirs", "audiences": ["x"]});
        group.add_resource(CREDENTIAL, "deployer/theirs", "", &theirs);
    });
    let wrong = wire.held(KIND, &desired).await;
    assert!(wrong.len() == 1 && wrong[0].contains("lets in `repo:evil/one`"), "{wrong:?}");
    let mut all = before;
    all.push(("deployer/theirs".to_owned(), "theirs".to_owned()));
    assert_eq!(kept(), all);

    // Somebody else lets the second one in, and nobody asks for the first any more.
    let name = |subject: &str| all.iter().find(|(_, one)| one == subject).unwrap().0.clone();
    let mut fewer = asking(json!(["repo:acme/two"]));
    for subject in ["repo:acme/one", "repo:acme/two"] {
        let address = format!("federation/credentials/identities/{}", name(subject));
        fewer.desired.record.made.insert(address.parse().unwrap());
    }
    let Offer::Control(control) = offer(KIND) else { panic!() };
    let (asked, writer) = (fewer.desired.asked(KIND).unwrap(), wire.door.writer(&subscription(2)));
    let mut wrong = Vec::new();
    for judgement in wire.judged(control, asked, &fewer.desired).await {
        let Verdict::Fails { why, changes } = judgement.verdict else { continue };
        wrong.push(why);
        for change in changes.iter().chain(&changes) {
            control.write(&writer, change, &Made::new()).await.unwrap();
        }
    }
    assert_eq!(
        wrong,
        [
            "nobody asks any more that `repo:acme/one` of `https://token.actions.githubusercontent.com` becomes `deployer`"
        ]
    );
    assert_eq!(kept().len(), 2);
}
