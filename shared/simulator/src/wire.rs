//! From an HTTP request to a service, an operation and its parameters.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use crate::ask::{Protocol, Service};
use crate::xml;

/// A request with its body read.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a request says, before anybody asks whether it may.
#[derive(Debug)]
pub(crate) struct Understood {
    pub(crate) service: Option<Service>,
    /// `None` for one the service's table of paths does not have.
    pub(crate) operation: Option<String>,
    pub(crate) region: String,
    pub(crate) access_key: Option<String>,
    pub(crate) params: Map<String, Value>,
}

/// JSON services say theirs in `x-amz-target`, as `Prefix.Operation`.
const TARGETS: [(&str, Service); 7] = [
    ("AWSOrganizationsV20161128", Service::Organizations),
    ("AWSBudgetServiceGateway", Service::Budgets),
    ("SWBExternalService", Service::SsoAdmin),
    ("AWSIdentityStore", Service::IdentityStore),
    ("AmazonSQS", Service::Sqs),
    ("StarlingDoveService", Service::Config),
    ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", Service::CloudTrail),
];

/// Query services say theirs in the `Version` parameter, when no credential scope does.
const VERSIONS: [(&str, Service); 3] =
    [("2010-05-08", Service::Iam), ("2011-06-15", Service::Sts), ("2016-11-15", Service::Ec2)];

/// The REST operations: method, path (a last `*` is a name) and the operation.
const ROUTES: [(&str, &str, Service, &str); 26] = [
    ("POST", "/getAlternateContact", Service::Account, "GetAlternateContact"),
    ("POST", "/putAlternateContact", Service::Account, "PutAlternateContact"),
    ("POST", "/deleteAlternateContact", Service::Account, "DeleteAlternateContact"),
    ("POST", "/listRegions", Service::Account, "ListRegions"),
    ("POST", "/getRegionOptStatus", Service::Account, "GetRegionOptStatus"),
    ("POST", "/enableRegion", Service::Account, "EnableRegion"),
    ("POST", "/disableRegion", Service::Account, "DisableRegion"),
    ("GET", "/v20180820/configuration/publicAccessBlock", Service::S3Control, "GetPublicAccessBlock"),
    ("PUT", "/v20180820/configuration/publicAccessBlock", Service::S3Control, "PutPublicAccessBlock"),
    ("DELETE", "/v20180820/configuration/publicAccessBlock", Service::S3Control, "DeletePublicAccessBlock"),
    ("GET", "/analyzer", Service::AccessAnalyzer, "ListAnalyzers"),
    ("PUT", "/analyzer", Service::AccessAnalyzer, "CreateAnalyzer"),
    ("GET", "/analyzer/*", Service::AccessAnalyzer, "GetAnalyzer"),
    ("DELETE", "/analyzer/*", Service::AccessAnalyzer, "DeleteAnalyzer"),
    ("GET", "/detector", Service::GuardDuty, "ListDetectors"),
    ("POST", "/detector", Service::GuardDuty, "CreateDetector"),
    ("GET", "/detector/*", Service::GuardDuty, "GetDetector"),
    ("POST", "/detector/*", Service::GuardDuty, "UpdateDetector"),
    ("DELETE", "/detector/*", Service::GuardDuty, "DeleteDetector"),
    ("GET", "/accounts", Service::SecurityHub, "DescribeHub"),
    ("POST", "/accounts", Service::SecurityHub, "EnableSecurityHub"),
    ("DELETE", "/accounts", Service::SecurityHub, "DisableSecurityHub"),
    ("POST", "/standards/get", Service::SecurityHub, "GetEnabledStandards"),
    ("POST", "/standards/register", Service::SecurityHub, "BatchEnableStandards"),
    ("POST", "/standards/deregister", Service::SecurityHub, "BatchDisableStandards"),
    ("POST", "/getAccountInformation", Service::Account, "GetAccountInformation"),
];

impl Wire {
    pub(crate) fn understand(&self) -> Understood {
        let (access_key, region, scope) = self.scope();
        let target = self.header("x-amz-target").and_then(|target| target.rsplit_once('.'));
        let by_target = target.and_then(|(prefix, operation)| {
            TARGETS.iter().find(|(known, _)| *known == prefix).map(|(_, service)| (*service, operation))
        });
        let region = region.unwrap_or("us-east-1").to_owned();
        let access_key = access_key.map(str::to_owned);
        let understood = |service, operation: Option<String>, params| Understood {
            service,
            operation,
            region,
            access_key,
            params,
        };

        if let Some((service, operation)) = by_target {
            return understood(Some(service), Some(operation.to_owned()), self.json());
        }
        let scoped = scope.and_then(Service::of_scope);
        match scoped.map(Service::protocol) {
            Some(Protocol::Json) => understood(scoped, target.map(|(_, name)| name.to_owned()), self.json()),
            Some(Protocol::RestJson | Protocol::RestXml) => {
                let (service, operation, params) = self.route();
                understood(service.or(scoped), operation, params)
            }
            Some(Protocol::Query | Protocol::Ec2) => {
                let mut params = self.form();
                let operation = take(&mut params, "Action");
                params.remove("Version");
                understood(scoped, operation, params)
            }
            None => {
                let (service, operation, params) = self.route();
                if service.is_some() {
                    return understood(service, operation, params);
                }
                let mut params = self.form();
                let operation = take(&mut params, "Action");
                let version = take(&mut params, "Version").unwrap_or_default();
                let service =
                    VERSIONS.iter().find(|(known, _)| *known == version).map(|(_, service)| *service);
                understood(service, operation, params)
            }
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Credential=AKID/date/region/service/aws4_request` of the Authorization header, or of a presigned query.
    fn scope(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        let Some(header) = self.header("authorization") else { return (None, None, None) };
        let Some((_, rest)) = header.split_once("Credential=") else { return (None, None, None) };
        let credential = rest.split([',', ' ']).next().unwrap_or_default();
        let mut parts = credential.split('/');
        let key = parts.next();
        let region = parts.nth(1);
        (key, region, parts.next())
    }

    fn json(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as a form, or the query string when there is no body.
    fn form(&self) -> Map<String, Value> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let source = if self.body.is_empty() { query } else { &self.body };
        form_urlencoded::parse(source)
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect()
    }

    fn route(&self) -> (Option<Service>, Option<String>, Map<String, Value>) {
        let path = self.uri.path();
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        let mut named = None;
        let found = ROUTES.iter().find(|(method, pattern, _, _)| {
            let matches = match pattern.strip_suffix('*') {
                Some(prefix) => {
                    named = path.strip_prefix(prefix).filter(|name| !name.is_empty());
                    named.is_some()
                }
                None => *pattern == path,
            };
            matches && self.method.as_str() == *method
        });
        let Some((_, pattern, service, operation)) = found else { return (None, None, Map::new()) };
        let mut params = self.form_of_query();
        if *service == Service::S3Control {
            if let Some(account) = self.header("x-amz-account-id") {
                params.insert("AccountId".to_owned(), Value::from(account));
            }
            if !self.body.is_empty() {
                params.insert("PublicAccessBlockConfiguration".to_owned(), self.xml());
            }
        } else {
            params.extend(self.json());
        }
        if let (true, Some(name)) = (pattern.ends_with('*'), named) {
            let member = if *service == Service::GuardDuty { "DetectorId" } else { "analyzerName" };
            params.insert(member.to_owned(), Value::from(name));
        }
        (Some(*service), Some((*operation).to_owned()), params)
    }

    fn form_of_query(&self) -> Map<String, Value> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect()
    }

    /// Null for a body that is not well-formed, which the operation then refuses.
    fn xml(&self) -> Value {
        let leaves = std::str::from_utf8(&self.body).ok().and_then(xml::leaves);
        let Some(leaves) = leaves else { return Value::Null };
        Value::Object(leaves.into_iter().map(|(name, text)| (name, Value::Bool(text == "true"))).collect())
    }
}

fn take(params: &mut Map<String, Value>, name: &str) -> Option<String> {
    params.remove(name)?.as_str().map(str::to_owned)
}
