//! What only shows when every file is read: names that nobody declares, circles, and levels that weaken others.

use std::collections::BTreeSet;

use super::line::{Contradiction, Line, Origin, Weakening};
use super::parse::{Draft, Holder, Problem, Problems, What};
use super::yaml::At;
use super::{AzureCloud, Cloud, Intake, Manage, Role};
use crate::catalog::ControlKind;
use crate::diagnostic::code;
use crate::id::{Name, Provider};

pub(super) fn check(draft: &Draft, problems: &mut Problems) {
    draft.strangers(problems);
    cycles(draft, problems);
    too_deep(draft, problems);
    adopted_twice(draft, problems);
    no_group(draft, problems);
    weakens(draft, problems);
    if draft.is_complete() && !draft.is_ambiguous() {
        unused(draft, problems);
    }
}

/// Landing zones that extend each other in a circle; each circle is told once, with every place.
fn cycles(draft: &Draft, problems: &mut Problems) {
    let zones = &draft.manifest.landing_zones;
    let mut told: BTreeSet<&Name> = BTreeSet::new();
    for name in zones.keys() {
        let mut way: Vec<&Name> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next.filter(|name| !told.contains(name) && !way.contains(name)) {
            way.push(name);
            next = zones.get(name).and_then(|zone| zone.extends.as_ref());
        }
        let circle: Vec<&Name> = match next {
            Some(back) => way.iter().copied().skip_while(|name| *name != back).collect(),
            None => Vec::new(),
        };
        let mut places = circle.iter().filter_map(|name| Some((*name, *draft.extends.get(*name)?)));
        if let Some((first, at)) = places.next() {
            let message = format!("the landing zone `{first}` extends itself");
            let problem = places.fold(Problem::new(code::CYCLE, at, message), |problem, (name, at)| {
                problem.also(at, format!("by way of `{name}`"))
            });
            problems.add(problem.help("take out one `extends`"));
        }
        told.extend(way);
    }
}

/// How many levels of units a cloud nests below its root.
const fn levels(provider: Provider) -> usize {
    match provider {
        // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
        Provider::Aws => 5,
        // Six levels below the directory's root group: https://learn.microsoft.com/azure/governance/management-groups/overview
        Provider::Azure => 6,
        // https://cloud.google.com/resource-manager/docs/limits
        Provider::Gcp => 10,
    }
}

fn too_deep(draft: &Draft, problems: &mut Problems) {
    let managed = draft.manifest.clouds.iter().filter(|(_, cloud)| cloud.manage() == Manage::Full);
    let most = managed
        .map(|(name, cloud)| {
            let used = match cloud {
                // Our own root is one of the levels, unless it is the directory's.
                Cloud::Azure(AzureCloud { directory, root, .. }) => usize::from(directory != root),
                Cloud::Aws(_) | Cloud::Gcp(_) => 0,
            };
            (levels(cloud.provider()) - used, name)
        })
        .min();
    let Some((most, cloud)) = most else { return };
    for path in draft.manifest.units.keys().filter(|path| path.line().len() == most + 1) {
        if let Some(at) = draft.place(What::Unit, path.as_str()) {
            let message =
                format!("the unit `{path}` is {} levels deep; the cloud `{cloud}` nests {most}", most + 1);
            problems.add(Problem::new(code::TOO_DEEP, at, message).help("make the tree flatter"));
        }
    }
}

/// Two units can't stand for the same existing one.
fn adopted_twice(draft: &Draft, problems: &mut Problems) {
    let mut seen: Vec<(&Name, &str, &str)> = Vec::new();
    for (path, unit) in &draft.manifest.units {
        for (cloud, id) in &unit.adopt {
            match seen.iter().find(|(other, same, _)| *other == cloud && *same == id) {
                None => seen.push((cloud, id, path.as_str())),
                Some((_, _, first)) => {
                    let place = |path| draft.place(What::Unit, path);
                    if let (Some(at), Some(other)) = (place(path.as_str()), place(first)) {
                        let message = format!("the unit `{path}` adopts `{id}`, which `{first}` adopts too");
                        problems.add(
                            Problem::new(code::DUPLICATE_NAME, at, message).also(other, "the other unit"),
                        );
                    }
                }
            }
        }
    }
}

/// Access that no cloud could give, because the team has no group there or the role grants nothing there.
fn no_group(draft: &Draft, problems: &mut Problems) {
    for Holder { project, role: role_name, team: team_name, at } in &draft.holders {
        let manifest = &draft.manifest;
        let (Some(project), Some(role), Some(team)) =
            (manifest.projects.get(project), manifest.roles.get(role_name), manifest.teams.get(team_name))
        else {
            continue;
        };
        let providers: BTreeSet<Provider> =
            project.tenants.iter().map(|tenant| tenant.id.provider()).collect();
        let groups = team.groups.get(role_name);
        let (granting, silent): (Vec<Provider>, Vec<Provider>) =
            providers.into_iter().partition(|provider| grants(role, *provider));
        let without: Vec<Provider> = granting
            .into_iter()
            .filter(|provider| !groups.is_some_and(|groups| groups.contains_key(provider)))
            .collect();
        if !silent.is_empty() {
            let silent = list(&silent);
            let message =
                format!("the role `{role_name}` grants nothing on {silent}, where the project has tenants");
            problems.add(
                Problem::new(code::NO_ACCESS, *at, message)
                    .help(format!("add {silent} to the role, if its holders should work there")),
            );
        }
        if !without.is_empty() {
            let without = list(&without);
            let message =
                format!("the team `{team_name}` has no group on {without} for the role `{role_name}`");
            let problem = Problem::new(code::NO_GROUP, *at, message).help(format!(
                "add {without} with the group's name to `groups.{role_name}` of the team, or take the team out here"
            ));
            problems.add(match draft.place(What::Team, team_name.as_str()) {
                Some(team) => problem.also(team, "the team is here"),
                None => problem,
            });
        }
    }
}

fn list(providers: &[Provider]) -> String {
    providers.iter().map(|provider| provider.as_str()).collect::<Vec<_>>().join(", ")
}

fn grants(role: &Role, provider: Provider) -> bool {
    match provider {
        Provider::Aws => role.aws.is_some(),
        Provider::Azure => !role.azure.is_empty(),
        Provider::Gcp => !role.gcp.is_empty(),
    }
}

/// Levels that ask for less than one above them; the same two places are told once, however many tenants they meet in.
fn weakens(draft: &Draft, problems: &mut Problems) {
    let manifest = &draft.manifest;
    let mut told = BTreeSet::new();
    for path in manifest.units.keys() {
        tell(&manifest.along(path, None, None), draft, &mut told, problems);
    }
    for tenant in manifest.tenants().filter(|tenant| tenant.landing_zone.is_some() || !tenant.with.is_empty())
    {
        let line = manifest.along(&tenant.unit, tenant.landing_zone.as_ref(), Some(tenant));
        tell(&line, draft, &mut told, problems);
    }
    for rule in &manifest.intake {
        if let Intake::Land { landing_zone, unit } = &rule.then {
            tell(&manifest.along(unit, Some(landing_zone), None), draft, &mut told, problems);
        }
    }
}

fn tell(line: &Line, draft: &Draft, told: &mut BTreeSet<(At, At)>, problems: &mut Problems) {
    let place = |origin: &Origin, kind: ControlKind, parameter: &str| {
        draft.parameters.get(&(origin.clone(), kind, parameter.to_owned())).copied()
    };
    for Contradiction { control, parameter, one, other } in &line.contradictions {
        let name = parameter.name;
        let (Some(at), Some(first)) =
            (place(&other.origin, *control, name), place(&one.origin, *control, name))
        else {
            continue;
        };
        if told.insert((at, first)) {
            let message = format!(
                "`{name}` of `{control}` allows nothing: two controls of {} have nothing in common",
                other.level
            );
            problems.add(Problem::new(code::CONTRADICTS, at, message).also(first, "the other asks for this"));
        }
    }
    for Weakening { control, parameter, higher, lower, what } in &line.weakenings {
        let name = parameter.name;
        let (Some(at), Some(above)) =
            (place(&lower.origin, *control, name), place(&higher.origin, *control, name))
        else {
            continue;
        };
        if told.insert((at, above)) {
            let message = format!(
                "`{name}` of `{control}` would be weaker than above: {} asks for {}, {} demands {}",
                lower.level, what.asked, higher.level, what.demanded
            );
            problems.add(
                Problem::new(code::WEAKENS, at, message)
                    .also(above, "demanded here")
                    .help(format!("a lower level can only tighten; here {}", parameter.combine.as_str())),
            );
        }
    }
}

fn unused(draft: &Draft, problems: &mut Problems) {
    let manifest = &draft.manifest;
    let zones = manifest.landing_zones.values();
    let controls: BTreeSet<&Name> = zones
        .clone()
        .flat_map(|zone| &zone.controls)
        .chain(manifest.units.values().flat_map(|unit| &unit.controls))
        .collect();
    let landed = manifest.intake.iter().filter_map(|rule| match &rule.then {
        Intake::Land { landing_zone, unit: _ } => Some(landing_zone),
        Intake::StayGated => None,
    });
    let zones: BTreeSet<&Name> = zones
        .filter_map(|zone| zone.extends.as_ref())
        .chain(manifest.units.values().filter_map(|unit| unit.landing_zone.as_ref()))
        .chain(manifest.tenants().filter_map(|tenant| tenant.landing_zone.as_ref()))
        .chain(landed)
        .collect();
    let mut tell = |what: What, used: &BTreeSet<&Name>, help: &str| {
        for (name, at) in
            draft.declared(what).filter(|(name, _)| !used.iter().any(|used| used.as_str() == *name))
        {
            let message = format!("nothing uses the {} `{name}`", what.noun());
            problems.add(Problem::new(code::UNUSED, at, message).help(help));
        }
    };
    tell(What::Control, &controls, "list it under `controls` of a landing zone or a unit, or take it out");
    tell(
        What::LandingZone,
        &zones,
        "name it as the `landing-zone` of a unit, a tenant or an intake rule, or take it out",
    );
}
