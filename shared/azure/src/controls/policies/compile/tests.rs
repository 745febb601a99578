use super::super::assignment::LONGEST_NAME;
use super::*;
use crate::controls::ground;
use crate::controls::landscape::{Landscape, subscription};
use landfall_model::id::{Provider, TenantId, UnitPath};

fn compiled(asks: &[(ControlKind, Value)]) -> Result<Vec<Assignment>, String> {
    compiled_at(At::Unit("workloads".parse().unwrap()), asks)
}

fn compiled_at(at: At, asks: &[(ControlKind, Value)]) -> Result<Vec<Assignment>, String> {
    let point = Point { at, own: true, owner: None, asks: asks.iter().cloned().collect() };
    assignments(&point, ground(&Landscape::organization().desired).unwrap())
}

fn told(kind: ControlKind, settings: Value) -> Vec<String> {
    let of = |one: &Assignment| {
        let definition = one.definition.rsplit('/').next().unwrap();
        format!("{} {definition} {}", one.name, Value::from_iter(one.parameters.clone()))
    };
    let all = compiled(&[(kind, settings)]).unwrap();
    assert!(all.iter().all(|one| one.control == Some(kind)));
    all.iter().map(of).collect()
}

const SET: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000001/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/central";

#[test]
fn what_is_asked_becomes_these_assignments() {
    use ControlKind as Kind;
    let table: [(Kind, Value, &[&str]); 16] = [
        (
            Kind::AllowedRegions,
            json!({"azure": ["westeurope", "germanywestcentral", "westeurope"], "aws": ["eu-central-1"]}),
            &[
                "lf-allowed-regions e56962a6-4747-49cd-b67b-bf8b01975c4c \
                 {\"listOfAllowedLocations\":[\"germanywestcentral\",\"westeurope\"]}",
                "lf-allowed-regions-rg e765b5de-1225-4ba3-bd56-1ac6695af988 \
                 {\"listOfAllowedLocations\":[\"germanywestcentral\",\"westeurope\"]}",
            ],
        ),
        (Kind::AllowedRegions, json!({"aws": ["eu-central-1"]}), &[]),
        (
            Kind::DeniedServices,
            json!({"aws": [], "azure": ["Microsoft.Sql/servers"], "gcp": []}),
            &["lf-denied-services 6c112d4e-5bc7-47ae-a041-ea2d9dccd749 \
               {\"listOfResourceTypesNotAllowed\":[\"Microsoft.Sql/servers\"]}"],
        ),
        (Kind::DeniedServices, json!({"aws": ["lightsail"], "azure": [], "gcp": []}), &[]),
        (
            Kind::ProtectBaseline,
            json!({}),
            &["lf-protect-baseline landfall-protect-baseline \
               {\"principals\":[\"5a0e0000-0000-4000-8000-0000000000aa\"]}"],
        ),
        (
            Kind::BlockPublicStorage,
            json!({"also-existing": false}),
            &["lf-block-public-storage 4fa4b6c0-31ca-4c0d-b10d-24b96f62a751 {\"effect\":\"Deny\"}"],
        ),
        (
            Kind::BlockPublicStorage,
            json!({"also-existing": true}),
            &[
                "lf-block-public-storage 4fa4b6c0-31ca-4c0d-b10d-24b96f62a751 {\"effect\":\"Deny\"}",
                "lf-close-public-storage 13502221-8df0-4414-9937-de9c5c4e396b {}",
            ],
        ),
        (
            Kind::EncryptByDefault,
            json!({}),
            &["lf-encryption-at-host fc4d8e41-e223-45ea-9bf5-eada37891d87 {}"],
        ),
        (
            Kind::EncryptByDefault,
            json!({"key": "alias/disks"}),
            &["lf-encryption-at-host fc4d8e41-e223-45ea-9bf5-eada37891d87 {}"],
        ),
        (
            Kind::EncryptByDefault,
            json!({"key": SET}),
            &["lf-encryption-at-host fc4d8e41-e223-45ea-9bf5-eada37891d87 {}"],
        ),
        (
            Kind::BlockPublicSnapshots,
            json!({"also-existing": true}),
            &[
                "lf-public-snapshots landfall-public-snapshots {}",
                "lf-public-disks 8405fdab-1faf-48aa-b702-999c9c172094 {\"effect\":\"Deny\"}",
            ],
        ),
        (Kind::BlockPublicImages, json!({}), &["lf-public-images landfall-public-images {}"]),
        (
            Kind::HardenedInstances,
            json!({"require-tokens": true, "hop-limit": 2}),
            &["lf-linux-passwords landfall-linux-passwords {}"],
        ),
        (
            Kind::ExternalAccessAnalysis,
            json!({"unused-access": false, "unused-days": 90}),
            &[
                "lf-guest-owners 339353f6-2387-4a45-abe4-7f529d121046 {}",
                "lf-guest-writers 94e1c2ac-cbbe-4cac-a2b5-389c812dee87 {}",
            ],
        ),
        (
            Kind::StandardsAssessment,
            json!({"aws": [], "azure": ["iso-27001-2022", "mcsb", "1F3AFDF9-d0c9-4c3d-847f-89da613e70a8"], "gcp": []}),
            &[
                "lf-std-iso-27001-2022 5e4ff661-23bf-42fa-8e3a-309a55091cc7 {}",
                "lf-std-mcsb 1f3afdf9-d0c9-4c3d-847f-89da613e70a8 {}",
            ],
        ),
        (Kind::StandardsAssessment, json!({"aws": ["x"], "azure": [], "gcp": []}), &[]),
    ];
    for (kind, settings, expected) in table {
        assert_eq!(told(kind, settings.clone()), expected, "{kind} {settings}");
    }
}

#[test]
fn a_disk_encryption_set_is_the_only_one_allowed_where_disks_can_use_it_and_nowhere_else() {
    let tenant = |number: u32| At::Tenant(TenantId::new(Provider::Azure, &subscription(number)).unwrap());
    let shouted = SET.to_ascii_uppercase();
    let table = [
        (At::Unit(UnitPath::root()), SET, false),
        (At::Unit("workloads".parse().unwrap()), SET, false),
        (tenant(2), SET, false),
        (tenant(1), SET, true),
        (tenant(1), shouted.as_str(), true),
        (tenant(1), "alias/disks", false),
    ];
    for (at, key, expected) in table {
        let all = compiled_at(at.clone(), &[(ControlKind::EncryptByDefault, json!({"key": key}))]).unwrap();
        let set = all.iter().find(|one| one.name == "lf-disk-encryption-sets");
        let allowed = set.map(|one| Value::from_iter(one.parameters.clone()));
        let asked = json!({"allowedEncryptionSets": [key], "effect": "Deny"});
        assert_eq!(allowed, expected.then_some(asked), "{at:?} {key}");
    }
}

#[test]
fn names_fit_and_are_told_apart_at_one_place() {
    let owner = At::Tenant(TenantId::new(Provider::Azure, &subscription(1)).unwrap());
    let asks = [
        (ControlKind::AllowedRegions, json!({"azure": ["westeurope"]})),
        (ControlKind::DeniedServices, json!({"aws": [], "azure": ["Microsoft.Sql/servers"], "gcp": []})),
        (ControlKind::ProtectBaseline, json!({})),
        (ControlKind::BlockPublicStorage, json!({"also-existing": true})),
        (ControlKind::EncryptByDefault, json!({"key": SET})),
        (ControlKind::BlockPublicSnapshots, json!({"also-existing": true})),
        (ControlKind::BlockPublicImages, json!({})),
        (ControlKind::HardenedInstances, json!({"require-tokens": true, "hop-limit": 2})),
        (ControlKind::ExternalAccessAnalysis, json!({"unused-access": false, "unused-days": 90})),
        (
            ControlKind::StandardsAssessment,
            json!({"aws": [], "azure": ["mcsb", "89c6cddc-1c73-4ac1-b19c-54d1a15a42f2"], "gcp": []}),
        ),
    ];
    let all = compiled_at(owner, &asks).unwrap();
    assert_eq!(all.len(), 16);
    let names: BTreeSet<&str> = all.iter().map(|one| &*one.name).collect();
    assert_eq!(names.len(), all.len());
    for one in &all {
        assert!(one.name.starts_with("lf-") && one.name.len() <= LONGEST_NAME, "{}", one.name);
    }
}

#[test]
fn what_no_policy_carries_and_what_can_t_be_read_is_an_error() {
    assert_eq!(
        compiled(&[(ControlKind::Budget, json!({}))]).unwrap_err(),
        "`budget` can't be made into a policy"
    );
    let unreadable = compiled(&[(ControlKind::DeniedServices, json!({"azure": 1}))]).unwrap_err();
    assert!(unreadable.starts_with("the settings of `denied-services` can't be read"), "{unreadable}");
}
