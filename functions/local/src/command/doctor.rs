//! `landfall doctor`: who am I, what can I read and write, and what is missing. It never writes.

mod azure;
mod gcp;

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use landfall_aws::doctor::{Way, enter, organization, whoami};
use landfall_aws::{Aws, CallError};
use landfall_engine::cloud::Cloud as _;
use landfall_engine::control::chain;
use landfall_model::id::Name;
use landfall_model::manifest::statement::verify;
use landfall_model::manifest::{AwsCloud, Cloud, Manage};
use landfall_reports::inert::inert;
use serde::Serialize;

use crate::arguments::{Common, Format};
use crate::place::{self, Cloudy, Use};
use crate::source::{self, Given};
use crate::table::table;
use crate::{Exit, desk, say};

/// Member accounts that are entered: enough to see whether the roles were rolled out, few enough to be done soon.
const SAMPLE: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// A cloud that is examined.
#[derive(Debug)]
struct Ground {
    name: Name,
    cloud: Cloud,
    /// The tenants that the manifest names in it.
    named: BTreeSet<String>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    ok: bool,
    what: String,
    found: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
}

#[derive(Debug, Default)]
struct Examination(Vec<Finding>);

impl Examination {
    fn good(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.0.push(Finding {
            ok: true,
            what: what.into(),
            found: inert(&found.into()),
            help: String::new(),
        });
    }

    fn bad(&mut self, what: impl Into<String>, found: impl Into<String>, help: impl Into<String>) {
        self.0.push(Finding { ok: false, what: what.into(), found: inert(&found.into()), help: help.into() });
    }
}

pub(crate) async fn run(_: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let cloudy = Cloudy::default();
    let mut seen = Examination::default();
    let grounds = manifest(common, &cloudy, &mut seen).await;
    store(common, &cloudy, &mut seen).await;
    for ground in grounds {
        let Ground { name, cloud, named } = ground;
        match cloud {
            Cloud::Aws(cloud) => match cloudy.aws().await {
                Ok(aws) => self::cloud(aws, &name, &cloud, &named, &mut seen).await,
                Err(error) => seen.bad(
                    "my own identity",
                    format!("{error:#}"),
                    "set `AWS_REGION`, and credentials as for the AWS command line",
                ),
            },
            Cloud::Azure(cloud) => match cloudy.azure().await {
                Ok(azure) => azure::cloud(azure, &name, &cloud, &named, &mut seen).await,
                Err(error) => seen.bad("my own identity on Azure", format!("{error:#}"), "`az login`"),
            },
            Cloud::Gcp(cloud) => match cloudy.gcp().await {
                Ok(gcp) => gcp::cloud(gcp, &name, &cloud, &named, &mut seen).await,
                Err(error) => seen.bad(
                    "my own identity on Google Cloud",
                    format!("{error:#}"),
                    "`gcloud auth application-default login`",
                ),
            },
        }
    }
    let Examination(findings) = seen;
    match common.format {
        Format::Json => say::json(&findings)?,
        Format::Text => show(&findings),
    }
    Ok(Exit::found(findings.iter().any(|finding| !finding.ok)))
}

/// A few tenants of an organization, those that the manifest names first.
async fn a_few(
    organization: &dyn landfall_engine::cloud::Cloud,
    noun: &str,
    help: &str,
    named: &BTreeSet<String>,
    seen: &mut Examination,
) -> Vec<String> {
    let what = format!("the {noun}s");
    let mut ids = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        match organization.page(cursor.as_deref()).await {
            Ok(page) => {
                ids.extend(page.tenants.iter().map(|surveyed| surveyed.tenant.native().to_owned()));
                cursor = page.next;
            }
            Err(error) => {
                seen.bad(what, chain(&error), help);
                return Vec::new();
            }
        }
        if cursor.is_none() {
            break;
        }
    }
    for id in named.iter().filter(|id| !ids.contains(id)) {
        seen.bad(
            format!("the {noun} {id}"),
            "the manifest names it, and the organization does not have it",
            "correct the id, or take it out of the manifest",
        );
    }
    let all = ids.len();
    ids.sort_by_key(|id| !named.contains(id));
    ids.truncate(SAMPLE);
    let which = if all > SAMPLE { "; those that the manifest names come first" } else { "" };
    seen.good(what, format!("{} of {all} {noun}s looked at{which}", ids.len()));
    ids
}

/// The bundle: readable, signed by whom, until when.
async fn manifest(common: &Common, cloudy: &Cloudy, seen: &mut Examination) -> Vec<Ground> {
    let from = common.manifest();
    let Given { bundle, statement } = match source::given(from, cloudy).await {
        Ok(given) => given,
        Err(error) => {
            seen.bad("the manifest", format!("{error:#}"), "say where it is with `--manifest`");
            return Vec::new();
        }
    };
    let about = format!("`{from}`: {}, bundle {}", bundle.manifest().organization, bundle.digest().short());
    seen.good("the manifest", about);
    let organization = &bundle.manifest().organization;
    match (&statement, super::verify::keys(common)) {
        (_, Err(error)) => {
            seen.bad(
                "its signature",
                format!("{error:#}"),
                "give `--public-keys` what `landfall keygen` printed",
            );
        }
        (None, _) => seen.good("its signature", "none: good to plan with, and to write on loopback only"),
        (Some(_), Ok(None)) => seen.bad(
            "its signature",
            "there is a statement, and no key to check it with",
            "give `--public-keys` what `landfall keygen` printed",
        ),
        (Some(signed), Ok(Some(keys))) => {
            match verify(signed, bundle.digest(), organization, 0, &keys, Timestamp::now()) {
                Ok(statement) => seen.good(
                    "its signature",
                    format!(
                        "generation {}, key {}, by {}, expires {}",
                        statement.generation,
                        statement.key_id,
                        statement.author.as_deref().unwrap_or("nobody named"),
                        statement.expires.strftime("%Y-%m-%d")
                    ),
                ),
                Err(error) => seen.bad("its signature", chain(&error), "sign it again with `landfall sign`"),
            }
        }
    }
    let names = match desk::clouds(bundle.manifest(), common.cloud.as_ref(), &[]) {
        Ok(names) => names,
        Err(error) => {
            seen.bad("the cloud", format!("{error:#}"), "say which with `--cloud`");
            return Vec::new();
        }
    };
    let ground = |name: Name| {
        let cloud = bundle.manifest().clouds.get(&name)?.clone();
        let tenants = bundle.manifest().tenants().filter(|tenant| tenant.cloud == name);
        let named = tenants.map(|tenant| tenant.id.native().to_owned()).collect();
        Some(Ground { name, cloud, named })
    };
    names.into_iter().filter_map(ground).collect()
}

/// The store: there, and of a format that this program reads.
async fn store(common: &Common, cloudy: &Cloudy, seen: &mut Examination) {
    let address = &common.store;
    if let Some(path) = address.strip_prefix("sqlite:")
        && !std::path::Path::new(path).exists()
    {
        seen.good("the store", format!("`{address}` is not there yet: the first sweep makes it"));
        return;
    }
    let opened = place::store(address, Use::Read, cloudy).await;
    let listed = match &opened {
        Ok(store) => store.list("", None, 1).await.map_err(anyhow::Error::from),
        Err(_) => Ok(Vec::new()),
    };
    match (opened, listed) {
        (Ok(_), Ok(keys)) if keys.is_empty() => seen.good("the store", format!("`{address}`, empty")),
        (Ok(_), Ok(_)) => seen.good("the store", format!("`{address}`")),
        (Err(error), _) | (Ok(_), Err(error)) => {
            seen.bad("the store", format!("{error:#}"), "name another with `--store`, or grant access to it");
        }
    }
}

/// The identity, the organization, and the roles that the manifest names.
async fn cloud(aws: &Aws, name: &Name, ground: &AwsCloud, named: &BTreeSet<String>, seen: &mut Examination) {
    match whoami(aws).await {
        Ok(me) => seen.good("my own identity", format!("{} in account {}", me.arn, me.account)),
        Err(error) => {
            let unheard = matches!(
                error,
                CallError::Timeout { .. } | CallError::Unreachable { .. } | CallError::Unreadable { .. }
            );
            let help = if unheard {
                "check the network, the proxy, and `AWS_ENDPOINT_URL` where it is set"
            } else {
                "give credentials as for the AWS command line"
            };
            seen.bad("my own identity", chain(&error), help);
            return;
        }
    }
    let (read, write) = (&ground.roles.read, &ground.roles.write);
    let management = &ground.management_account;
    match organization(aws, ground).await {
        Ok(found) if found.id != ground.organization => seen.bad(
            "the organization",
            format!(
                "the management account owns `{}`, the manifest says `{}`",
                found.id, ground.organization
            ),
            format!("correct `clouds.{name}.organization`, or the credentials"),
        ),
        Ok(found) if found.master_account_id != *management => seen.bad(
            "the organization",
            format!(
                "`{}` is owned by `{}`, the manifest says `{management}`",
                found.id, found.master_account_id
            ),
            format!("correct `clouds.{name}.management-account`"),
        ),
        Ok(found) if found.feature_set == "CONSOLIDATED_BILLING" => seen.bad(
            "the organization",
            format!("`{}` has consolidated billing only: no policy holds in it", found.id),
            "enable all features in AWS Organizations",
        ),
        Ok(found) => seen.good("the organization", format!("{}, owned by {management}", found.id)),
        Err(error) => seen.bad(
            "the organization",
            chain(&error),
            format!("make the role `{read}` in {management}, trusting the identity above"),
        ),
    }
    role(aws, ground, management, Way::Read, "the management account", seen).await;
    if ground.manage == Manage::Full {
        role(aws, ground, management, Way::Write, "the management account", seen).await;
    }
    let members = sample(aws, name, ground, named, seen).await;
    for account in members {
        role(aws, ground, &account, Way::Read, "an account", seen).await;
        if ground.manage == Manage::Full {
            role(aws, ground, &account, Way::Write, "an account", seen).await;
        }
    }
    if ground.manage == Manage::Observe {
        seen.good(format!("the role `{write}`"), "not needed: the manifest says `manage: observe`");
    }
}

async fn role(aws: &Aws, ground: &AwsCloud, account: &str, way: Way, whose: &str, seen: &mut Examination) {
    let (name, word) = match way {
        Way::Read => (&ground.roles.read, "read"),
        Way::Write => (&ground.roles.write, "write"),
    };
    let what = format!("{word} {account}");
    match enter(aws, ground, account, way).await {
        Ok(me) => seen.good(what, me.arn),
        Err(error) => seen.bad(
            what,
            chain(&error),
            format!("make the role `{name}` in {whose} `{account}`, trusting my identity and asking for the manifest's external id"),
        ),
    }
}

/// A few member accounts of the directory, those that the manifest names first.
async fn sample(
    aws: &Aws,
    name: &Name,
    ground: &AwsCloud,
    named: &BTreeSet<String>,
    seen: &mut Examination,
) -> Vec<String> {
    let cloud = landfall_aws::AwsOrganization::new(aws.clone(), name.clone(), ground.clone());
    let mut accounts = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        match cloud.page(cursor.as_deref()).await {
            Ok(page) => {
                let natives = page.tenants.iter().map(|surveyed| surveyed.tenant.native().to_owned());
                accounts.extend(natives.filter(|account| *account != ground.management_account));
                cursor = page.next;
            }
            Err(error) => {
                seen.bad("the accounts", chain(&error), "let the read role list the organization");
                return accounts;
            }
        }
        if cursor.is_none() {
            break;
        }
    }
    let all = accounts.len();
    accounts.sort_by_key(|account| !named.contains(account));
    accounts.truncate(SAMPLE);
    let which = if all > SAMPLE { "; those that the manifest names come first" } else { "" };
    seen.good("the accounts", format!("{} of {all} accounts looked at{which}", accounts.len()));
    accounts
}

fn show(findings: &[Finding]) {
    let rows = findings.iter().map(|Finding { ok, what, found, help: _ }| {
        vec![if *ok { "ok" } else { "FAIL" }.to_owned(), what.clone(), found.clone()]
    });
    say::text(&table(&["", "what", "found"], &[], rows.collect()));
    let wrong: Vec<&Finding> = findings.iter().filter(|finding| !finding.ok).collect();
    if wrong.is_empty() {
        say::line("\neverything is in place; nothing was written");
        return;
    }
    say::line(format!("\n{}", say::styled(say::HEAD, "What to do")));
    for finding in wrong {
        say::line(format!("  {}: {}", finding.what, finding.help));
    }
}
