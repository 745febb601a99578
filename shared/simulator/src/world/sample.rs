//! A deterministic organization for demonstrations, tests and benchmarks: mostly right, wrong in known ways.

use jiff::Timestamp;

use super::{
    Account, AlternateContact, Joined, MANAGEMENT_ACCOUNT, PasswordPolicy, PublicAccessBlock, Region,
    Settings, World,
};

/// Account ids 222222222222, 222222222223, … so that a reader recognises them in every report.
const FIRST: u64 = 222_222_222_222;
/// 1 January 2023: old enough that nothing takes the sample for newborn.
const BIRTH: i64 = 1_672_531_200;
const DAY: i64 = 86_400;

/// The `n`th account violates one thing, by `n % 8`:
/// 0 nothing · 1 no password policy · 2 EBS encryption off in one region · 3 no public access block · 4 root access keys ·
/// 5 a weak password policy · 6 no security contact · 7 default networks everywhere.
///
/// The last account was invited and runs a network: interfaces in its default VPC, nothing configured.
pub(super) fn build(accounts: usize, settings: Settings) -> World {
    let mut world = World::new(settings);
    let regions = world.settings.regions.clone();
    if let Some(management) = world.accounts.get_mut(MANAGEMENT_ACCOUNT) {
        settle(management, &regions);
    }
    for n in 0..accounts {
        let offset = u64::try_from(n).unwrap_or_default();
        let id = (FIRST + offset).to_string();
        let invited = n > 0 && n + 1 == accounts;
        let name = if invited { "acquired".to_owned() } else { format!("team-{:04}", n + 1) };
        let joined = if invited { Joined::Invited } else { Joined::Created };
        let at = Timestamp::from_second(BIRTH + DAY * i64::try_from(n).unwrap_or_default().min(1_000));
        world.enter(
            &id,
            &name,
            &format!("aws+{name}@example.com"),
            joined,
            at.unwrap_or(Timestamp::UNIX_EPOCH),
        );
        let Some(account) = world.accounts.get_mut(&id) else { continue };
        if invited {
            for region in &regions {
                account.region(region).add_network_interface("web server");
            }
        } else {
            settle(account, &regions);
            violate(account, &regions, n % 8);
        }
    }
    world
}

/// What most baselines ask of an account.
fn settle(account: &mut Account, regions: &[String]) {
    account.password_policy = Some(PasswordPolicy::strong());
    account.public_access_block = Some(PublicAccessBlock::full());
    for kind in ["BILLING", "OPERATIONS", "SECURITY"] {
        let contact = AlternateContact {
            name: format!("{} team", kind.to_lowercase()),
            title: "Team".to_owned(),
            email: format!("{}@example.com", kind.to_lowercase()),
            phone: "+49 30 123456".to_owned(),
        };
        account.alternate_contacts.insert(kind.to_owned(), contact);
    }
    for name in regions {
        // Without its default network, which a settled account has removed long ago.
        let mut region = Region { ebs_encryption: true, ..Region::default() };
        region.snapshot_block = "block-all-sharing".to_owned();
        region.image_block = "block-new-sharing".to_owned();
        region.metadata_defaults.http_tokens = Some("required".to_owned());
        account.regions.insert(name.clone(), region);
    }
}

fn violate(account: &mut Account, regions: &[String], way: usize) {
    match way {
        1 => account.password_policy = None,
        2 => {
            if let Some(last) = regions.last() {
                account.region(last).ebs_encryption = false;
            }
        }
        3 => account.public_access_block = None,
        4 => account.root_keys = true,
        5 => {
            account.password_policy = Some(PasswordPolicy { minimum_length: 8, ..PasswordPolicy::default() })
        }
        6 => {
            account.alternate_contacts.remove("SECURITY");
        }
        7 => {
            for name in regions {
                let settled = account.regions.remove(name);
                let fresh = account.region(name);
                if let Some(settled) = settled {
                    fresh.ebs_encryption = settled.ebs_encryption;
                    fresh.snapshot_block = settled.snapshot_block;
                    fresh.image_block = settled.image_block;
                    fresh.metadata_defaults = settled.metadata_defaults;
                }
            }
        }
        _ => {}
    }
}
