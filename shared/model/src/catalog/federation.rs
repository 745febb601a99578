//! `federation`: identity providers elsewhere that a tenant trusts, so that nobody keeps its secrets there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Federation,
    title: "the identity providers that are asked for are trusted, as the manifest says and no further",
    manual: "\
What it asks: the tenant trusts each provider that is listed, so that pipelines and workloads elsewhere sign in with a token of
their own. A provider has an `issuer` (OIDC) and says for each cloud what is let in there; a cloud that it does not say anything
for does not trust it. One with `metadata` instead is a SAML provider of an AWS account.

Why: a key that is kept in a CI system is read by whoever reads its settings, and works from anywhere until somebody remembers
it. Trust needs no key, but it is as wide as it is written: many issuers serve the whole world, and whoever has an account there
has its tokens. So what is let in belongs where access is reviewed, and what somebody changes by hand is put back.

What a provider may do here is given elsewhere: by roles and their trust policies on AWS, by roles of the identity on Azure, by
service-accounts and roles on Google Cloud. Providers that nobody lists are others', and are left alone. One that Landfall made
is taken away when no level lists it any more while the control is still asked; so take the last one out of the list first, and
the control afterwards.

AWS: an IAM OIDC provider for the issuer (iam:CreateOpenIDConnectProvider) with `audiences`, sts.amazonaws.com where none are
listed, and no others. An account has one for each issuer, so that names with the same issuer share it. Thumbprints are neither
asked nor changed: IAM trusts public certificate authorities by itself, and finds the thumbprint of a private one when it makes
the provider. Whom it lets in is said by the roles' trust policies, which have to name `sub` or another claim. `metadata` is
kept by an IAM SAML provider of this name (iam:CreateSAMLProvider); a document that is not the manifest's is replaced.
Azure: a federated credential for each of `subjects` on the user-assigned `identity` in its `resource-group`
(Microsoft.ManagedIdentity), with the `audience` that tokens must have, api://AzureADTokenExchange where none is named; Azure
Government and Azure China have others. The identity, and its resource group, are made in `location`, or in the first governed
one, where they are missing, and never removed. Subjects are exact, and an identity takes 20. A credential of others for the
same issuer, subject and audience will do. A new subscription gets them when its gate is open, which denies identities.
Google Cloud: a workload identity pool and a provider of this name in it; the `pool` has its name too unless one is named. It
takes `audiences`, the provider's own full name where none are listed, a `mapping` of attributes, google.subject from
assertion.sub where there is none, and a `condition` (CEL). Without a condition everybody whom the issuer knows is let in, and so
it has to be there for issuers that serve everybody: GitHub, GitLab.com, HCP Terraform and the like. A pool or a provider that is
disabled or was deleted less than 30 days ago is brought back, with everything else in that pool. Keys that somebody uploaded to
the provider, and another place to look for them, are taken out: they decide whose tokens are true. Pools stay when nobody asks
for them any more; without providers they let nobody in. For a pool in a central project, ask the control of that project.

References: IAM user guide, Create an OpenID Connect identity provider, Create a SAML identity provider; Microsoft Entra,
Workload identity federation, Important considerations and restrictions for federated identity credentials; IAM documentation of
Google Cloud, Workload Identity Federation, Configure Workload Identity Federation with deployment pipelines.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "providers",
        form: Form::IdentityProviders,
        combine: Combine::Union,
        default: Some("{}"),
        help: "identity providers by name: `issuer` with `aws`, `azure` and `gcp`, what is let in there; or `metadata` (SAML, AWS)",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The providers by name.
    pub providers: BTreeMap<String, Trusted>,
}

impl Settings {
    /// The providers that sign tokens.
    pub fn issuers(&self) -> impl Iterator<Item = (&String, &Issuer)> {
        self.providers.iter().filter_map(|(name, one)| match one {
            Trusted::Oidc(issuer) => Some((name, &**issuer)),
            Trusted::Saml(_) => None,
        })
    }

    /// The providers that sign assertions.
    pub fn saml(&self) -> impl Iterator<Item = (&String, &Saml)> {
        self.providers.iter().filter_map(|(name, one)| match one {
            Trusted::Oidc(_) => None,
            Trusted::Saml(saml) => Some((name, saml)),
        })
    }
}

/// An identity provider as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Trusted {
    /// OpenID Connect.
    Oidc(Box<Issuer>),
    /// SAML 2.0.
    Saml(Saml),
}

/// Who signs tokens, and what is let in on each cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Issuer {
    /// The claim `iss` of its tokens, an https URL.
    pub issuer: String,
    /// What is let in on AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<OnAws>,
    /// What is let in on Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<OnAzure>,
    /// What is let in on Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<OnGcp>,
}

/// Who signs assertions for an AWS account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Saml {
    /// Its metadata document.
    pub metadata: String,
}

/// What is let in on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OnAws {
    /// Whom tokens have to be for.
    #[serde(default = "sts")]
    pub audiences: BTreeSet<String>,
}

/// What is let in on Azure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OnAzure {
    /// The user-assigned identity that they become.
    pub identity: String,
    /// The resource group it is in.
    pub resource_group: String,
    /// The claims `sub` that are let in.
    pub subjects: BTreeSet<String>,
    /// Whom tokens have to be for.
    #[serde(default = "token_exchange")]
    pub audience: String,
    /// Where the identity and its resource group are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What is let in on Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OnGcp {
    /// The pool; the provider's name where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Whom tokens have to be for; the provider itself where none are listed.
    #[serde(default)]
    pub audiences: BTreeSet<String>,
    /// What attributes are made of.
    #[serde(default = "subject")]
    pub mapping: BTreeMap<String, String>,
    /// Which tokens are let in, in CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// The audience that the tools of CI systems ask for when they sign in to AWS.
fn sts() -> BTreeSet<String> {
    BTreeSet::from(["sts.amazonaws.com".to_owned()])
}

/// The audience that Entra ID recommends: Microsoft Entra, Workload identity federation, `audiences`.
fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn subject() -> BTreeMap<String, String> {
    BTreeMap::from([(SUBJECT.to_owned(), "assertion.sub".to_owned())])
}

const SUBJECT: &str = "google.subject";

/// Issuers whose tokens anybody in the world can have: one URL for all their customers. Google names GitHub, GitLab.com and HCP
/// Terraform (Workload Identity Federation, Configure with deployment pipelines: "define an attribute condition") and refuses GitHub
/// without a condition; the others say so in their own documentation of OIDC tokens. Those that put a customer's id into the URL,
/// such as GitHub Enterprise, CircleCI and Azure DevOps, are not among them.
const SHARED: [&str; 9] = [
    "https://accounts.google.com",
    "https://agent.buildkite.com",
    "https://api.pulumi.com/oidc",
    "https://app.eu.terraform.io",
    "https://app.terraform.io",
    "https://gitlab.com",
    "https://oidc.codefresh.io",
    "https://oidc.vercel.com",
    "https://token.actions.githubusercontent.com",
];

/// IAM, CreateOpenIDConnectProvider: `Url` and each of `ClientIDList` have at most 255 characters, and the list 100 entries
/// (IAM and STS quotas).
const AWS_TEXT: usize = 255;
const AWS_AUDIENCES: usize = 100;

/// IAM, CreateSAMLProvider: `SAMLMetadataDocument`, `Name`.
const METADATA: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;
const SAML_NAME: usize = 128;

/// Important considerations and restrictions for federated identity credentials: credentials of one identity, and characters of
/// issuer, subject and audience.
pub const PER_IDENTITY: usize = 20;
const AZURE_TEXT: usize = 600;

/// IAM of Google Cloud, WorkloadIdentityPoolProvider: `allowedAudiences`, `attributeCondition`, `attributeMapping`.
const GCP_AUDIENCES: usize = 10;
const GCP_AUDIENCE: usize = 256;
const CONDITION: usize = 4_096;
const EXPRESSION: usize = 2_048;

/// What is wrong with a provider, for people.
pub fn wrong(name: &str, value: &Value) -> Option<String> {
    // Read by what it has, so that what is said is about just that.
    let saml = value.get("metadata").is_some();
    let read = if saml {
        serde_json::from_value(value.clone()).map(Trusted::Saml)
    } else {
        serde_json::from_value(value.clone()).map(|issuer| Trusted::Oidc(Box::new(issuer)))
    };
    match read {
        Ok(Trusted::Saml(saml)) => wrong_saml(name, &saml),
        Ok(Trusted::Oidc(issuer)) => wrong_issuer(name, &issuer),
        Err(error) => Some(format!(
            "expected `issuer` and one of `aws`, `azure` and `gcp`, or `metadata` (SAML) alone: {error}"
        )),
    }
}

fn wrong_saml(name: &str, Saml { metadata }: &Saml) -> Option<String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > SAML_NAME || !name.bytes().all(letter) {
        return Some(format!(
            "a SAML provider is named by at most {SAML_NAME} letters, digits, dots, hyphens and underscores"
        ));
    }
    if !metadata.contains("EntityDescriptor") || !METADATA.contains(&metadata.len()) {
        return Some(
            "`metadata` is the SAML metadata document itself, an XML with an `EntityDescriptor`, of 1,000 to 10,000,000 characters"
                .to_owned(),
        );
    }
    metadata.contains("PRIVATE KEY").then(|| "the metadata holds a private key, which belongs to nobody else".to_owned())
}

fn wrong_issuer(name: &str, one: &Issuer) -> Option<String> {
    let Issuer { issuer, aws, azure, gcp } = one;
    if !is_id(name) {
        return Some(
            "a provider is named by 4 to 32 lower-case letters, digits and hyphens, which don't begin with `gcp-`".to_owned(),
        );
    }
    let host = issuer.strip_prefix("https://").unwrap_or_default().split('/').next().unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '*');
    if host.is_empty() || issuer.contains(odd) {
        return Some(format!("`{issuer}` is no issuer such as `https://token.actions.githubusercontent.com`"));
    }
    if aws.is_none() && azure.is_none() && gcp.is_none() {
        return Some("it says for no cloud what is let in there: give it `aws`, `azure` or `gcp`".to_owned());
    }
    aws.as_ref()
        .and_then(|aws| wrong_on_aws(issuer, host, aws))
        .or_else(|| azure.as_ref().and_then(|azure| wrong_on_azure(issuer, azure)))
        .or_else(|| gcp.as_ref().and_then(|gcp| wrong_on_gcp(issuer, gcp)))
}

fn wrong_on_aws(issuer: &str, host: &str, OnAws { audiences }: &OnAws) -> Option<String> {
    if host.contains(':') || issuer.len() > AWS_TEXT {
        return Some(format!("AWS takes issuers of at most {AWS_TEXT} characters and without a port"));
    }
    if audiences.is_empty() || audiences.len() > AWS_AUDIENCES {
        return Some(format!("AWS takes 1 to {AWS_AUDIENCES} `audiences`"));
    }
    let long = audiences.iter().find(|one| one.is_empty() || one.len() > AWS_TEXT);
    long.map(|one| format!("`{one}` is no audience of 1 to {AWS_TEXT} characters, which is what AWS takes"))
}

fn wrong_on_azure(issuer: &str, azure: &OnAzure) -> Option<String> {
    let OnAzure { identity, resource_group, subjects, audience, location: _ } = azure;
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    // Microsoft.ManagedIdentity, Naming rules and restrictions for Azure resources.
    if !(3..=128).contains(&identity.len())
        || !identity.chars().all(letter)
        || !identity.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Some(format!(
            "`{identity}` is no name of an identity: 3 to 128 letters, digits, hyphens and underscores"
        ));
    }
    let in_group = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '.');
    if resource_group.is_empty()
        || resource_group.chars().count() > 90
        || !resource_group.chars().all(in_group)
        || resource_group.ends_with('.')
    {
        return Some(format!("`{resource_group}` is no name of a resource group"));
    }
    if subjects.is_empty() || subjects.len() > PER_IDENTITY {
        return Some(format!("an identity takes 1 to {PER_IDENTITY} `subjects`"));
    }
    if let Some(wild) = subjects.iter().find(|one| one.contains('*')) {
        return Some(format!("Azure compares subjects letter by letter, so that `{wild}` would let nobody in"));
    }
    let plain = |text: &str| (1..=AZURE_TEXT).contains(&text.chars().count()) && text.trim() == text;
    let all = subjects.iter().map(String::as_str).chain([issuer, audience]);
    let mut odd = all.filter(|text| !plain(text));
    odd.next().map(|text| format!("`{text}` has blanks around it, or not 1 to {AZURE_TEXT} characters"))
}

fn wrong_on_gcp(issuer: &str, gcp: &OnGcp) -> Option<String> {
    let OnGcp { pool, audiences, mapping, condition } = gcp;
    if let Some(pool) = pool.as_ref().filter(|pool| !is_id(pool)) {
        return Some(format!(
            "`{pool}` is no name of a pool: 4 to 32 lower-case letters, digits and hyphens, which don't begin with `gcp-`"
        ));
    }
    if audiences.len() > GCP_AUDIENCES || audiences.iter().any(|one| one.is_empty() || one.len() > GCP_AUDIENCE) {
        return Some(format!(
            "Google takes at most {GCP_AUDIENCES} `audiences` of 1 to {GCP_AUDIENCE} characters"
        ));
    }
    if !mapping.contains_key(SUBJECT) {
        return Some(format!("`mapping` has to say what `{SUBJECT}` is: `assertion.sub` mostly"));
    }
    let word = |name: &str| {
        (1..=100).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let known = |key: &str| {
        [SUBJECT, "google.groups"].contains(&key) || key.strip_prefix("attribute.").is_some_and(word)
    };
    if let Some(key) = mapping.keys().find(|key| !known(key)) {
        return Some(format!(
            "`{key}` is no attribute: they are `{SUBJECT}`, `google.groups` and `attribute.<name>` in small letters, digits and underscores"
        ));
    }
    if let Some(key) = mapping.iter().find_map(|(key, value)| {
        (value.trim().is_empty() || value.len() > EXPRESSION).then_some(key)
    }) {
        return Some(format!("`{key}` is mapped from nothing, or from more than {EXPRESSION} characters"));
    }
    let condition = condition.as_deref().unwrap_or_default();
    if condition.len() > CONDITION {
        return Some(format!("the condition has more than the {CONDITION} characters that Google takes"));
    }
    if let Some(name) = attributes(condition).find(|name| !mapping.contains_key(*name)) {
        return Some(format!("the condition asks for `{name}`, which `mapping` does not have"));
    }
    if SHARED.contains(&issuer.trim_end_matches('/')) && !restricts(condition) {
        return Some(format!(
            "`{issuer}` signs tokens for everybody, so that anybody could get in: give `gcp` a `condition` that compares a claim \
             of your own, such as `assertion.repository_owner_id == '1234567'` with GitHub"
        ));
    }
    None
}

/// A name of a pool or a provider: IAM of Google Cloud, workloadIdentityPools.create, `workloadIdentityPoolId`.
fn is_id(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (4..=32).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with("gcp-")
}

/// Whether a condition can let some in and keep others out: it compares something of the token's with a text. What it means, only
/// people can tell.
fn restricts(condition: &str) -> bool {
    ["assertion.", "attribute.", "google."].iter().any(|of| condition.contains(of))
        && condition.contains(['\'', '"'])
}

/// The attributes that a condition names, as `mapping` calls them.
fn attributes(condition: &str) -> impl Iterator<Item = &str> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    condition.split(move |c: char| !named(c)).filter_map(|word| {
        let rest = word.strip_prefix("attribute.")?;
        let name = rest.split('.').next()?;
        word.get(.."attribute.".len() + name.len())
    })
}

/// The identities of Azure that more subjects are to become than Azure takes, with how many.
pub fn crowded<'a>(providers: impl IntoIterator<Item = &'a Value>) -> Vec<(String, usize)> {
    let mut all: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for value in providers {
        let Ok(Issuer { issuer, azure: Some(azure), .. }) = serde_json::from_value(value.clone()) else { continue };
        let identity = format!("{}/{}", azure.resource_group, azure.identity);
        let subjects = azure.subjects.into_iter().map(|subject| (issuer.clone(), subject));
        all.entry(identity.to_ascii_lowercase()).or_default().extend(subjects);
    }
    let counted = all.into_iter().map(|(identity, subjects)| (identity, subjects.len()));
    counted.filter(|(_, count)| *count > PER_IDENTITY).collect()
}

#[cfg(test)]
mod tests;
