//! Whom a command is about, as people type it.

use std::collections::BTreeSet;

use anyhow::bail;
use landfall_engine::store::{Key, Store};
use landfall_model::id::{Provider, TenantId};
use landfall_model::target::Target;

use crate::desk::Desk;
use crate::near::did_you_mean;

/// Reads `aws/222222222222` and `organization/aws`; a slip is answered with what was probably meant.
pub(crate) fn parse(typed: &str, known: &BTreeSet<Target>) -> anyhow::Result<Target> {
    match typed.parse::<Target>() {
        Ok(target) => Ok(target),
        Err(error) => {
            // An id of Google Cloud is any word, so it is never guessed.
            for provider in [Provider::Aws, Provider::Azure] {
                if let Ok(tenant) = TenantId::new(provider, typed) {
                    bail!("`{typed}` does not say of which cloud it is: write `{tenant}`");
                }
            }
            let names: Vec<String> = known.iter().map(Target::to_string).collect();
            let near = did_you_mean(typed, names.iter().map(String::as_str));
            if near.is_empty() {
                bail!("{error}, nor an organization such as `organization/aws`")
            }
            bail!("`{typed}` is no target{near}")
        }
    }
}

/// Every target that the manifest or the store names.
async fn known(desks: &[Desk]) -> anyhow::Result<BTreeSet<Target>> {
    let mut known = BTreeSet::new();
    for desk in desks {
        known.extend(recorded(&*desk.store).await?);
        known.extend(desk.manifest().tenants().map(|tenant| Target::Tenant(tenant.id.clone())));
        known.insert(desk.organization());
    }
    Ok(known)
}

/// Every target that the store knows.
pub(crate) async fn recorded(store: &dyn Store) -> anyhow::Result<BTreeSet<Target>> {
    // By their keys alone: a record that can't be read hides nobody.
    let mut recorded = BTreeSet::new();
    for folder in ["organizations", "tenants"] {
        let mut after: Option<Key> = None;
        loop {
            let page = store.list(folder, after.as_ref(), 500).await?;
            let names = page.iter().map(|key| key.as_str().replacen("organizations/", "organization/", 1));
            recorded
                .extend(names.filter_map(|name| {
                    name.strip_prefix("tenants/").unwrap_or(&name).parse::<Target>().ok()
                }));
            match page.last() {
                Some(last) if page.len() == 500 => after = Some(last.clone()),
                _ => break,
            }
        }
    }
    Ok(recorded)
}

/// The targets that were typed, each one there and with the desk of its cloud: what nobody knows is asked of the organizations.
pub(crate) async fn of_clouds<'a>(
    desks: &'a [Desk],
    typed: &[String],
) -> anyhow::Result<Vec<(&'a Desk, Target)>> {
    let known = known(desks).await?;
    let mut targets: Vec<(&Desk, Target)> = Vec::new();
    for one in typed {
        let target = parse(one, &known)?;
        let Some(desk) = holder(desks, &target, &known).await? else {
            let names: Vec<String> = known.iter().map(Target::to_string).collect();
            let near = did_you_mean(one, names.iter().map(String::as_str));
            bail!("neither the manifest nor the organization has `{one}`{near}");
        };
        if !targets.iter().any(|(_, other)| *other == target) {
            targets.push((desk, target));
        }
    }
    Ok(targets)
}

/// The desk of the cloud that has a target.
async fn holder<'a>(
    desks: &'a [Desk],
    target: &Target,
    known: &BTreeSet<Target>,
) -> anyhow::Result<Option<&'a Desk>> {
    let candidates: Vec<&Desk> = desks.iter().filter(|desk| desk.may_hold(target)).collect();
    match (candidates.as_slice(), target) {
        ([only], target) if known.contains(target) => Ok(Some(only)),
        (_, Target::Organization(_)) => Ok(None),
        (candidates, Target::Tenant(tenant)) => {
            for desk in candidates {
                if desk.cloud.facts(tenant).await?.is_some() {
                    return Ok(Some(desk));
                }
            }
            Ok(None)
        }
    }
}

/// The organization and every tenant that its directory names, in order.
pub(crate) async fn everybody(desk: &Desk) -> anyhow::Result<Vec<Target>> {
    let mut tenants: BTreeSet<Target> = BTreeSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = desk.cloud.page(cursor.as_deref()).await?;
        tenants.extend(page.tenants.into_iter().map(|surveyed| Target::Tenant(surveyed.tenant)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(std::iter::once(desk.organization()).chain(tenants).collect())
}

/// The targets that were typed, each one in the store.
pub(crate) async fn of_store(store: &dyn Store, typed: &[String]) -> anyhow::Result<Vec<Target>> {
    let known = recorded(store).await?;
    let mut targets = Vec::new();
    for one in typed {
        let target = parse(one, &known)?;
        if !known.contains(&target) {
            let names: Vec<String> = known.iter().map(Target::to_string).collect();
            let near = did_you_mean(one, names.iter().map(String::as_str));
            bail!("no run has looked at `{one}` yet{near}");
        }
        targets.push(target);
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let known =
            BTreeSet::from(["aws/222222222222".parse().unwrap(), "organization/aws".parse().unwrap()]);
        let said = |typed: &str| parse(typed, &known).unwrap_err().to_string();
        assert_eq!(
            said("222222222222"),
            "`222222222222` does not say of which cloud it is: write `aws/222222222222`"
        );
        assert_eq!(
            said("aws/22222222222"),
            "`aws/22222222222` is no target: did you mean `aws/222222222222`?"
        );
        assert_eq!(
            said("organisation/aws"),
            "`organisation/aws` is no target: did you mean `organization/aws`?"
        );
        assert!(said("checkout").contains("organization/aws"));
    }
}
