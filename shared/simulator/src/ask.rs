//! One call, understood: which service, which operation, on whose behalf, with which parameters.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The services that are simulated. The set is ours, so it is an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Sts,
    Organizations,
    Iam,
    Account,
    S3Control,
    Ec2,
    AccessAnalyzer,
    GuardDuty,
    SecurityHub,
    CloudTrail,
    Config,
    Budgets,
    SsoAdmin,
    IdentityStore,
    Sqs,
}

/// How a service writes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Query,
    Ec2,
    RestJson,
    RestXml,
}

impl Service {
    /// The name used in the log and in `deny=` rules, which is the name in IAM policies wherever one exists.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Organizations => "organizations",
            Self::Iam => "iam",
            Self::Account => "account",
            Self::S3Control => "s3control",
            Self::Ec2 => "ec2",
            Self::AccessAnalyzer => "access-analyzer",
            Self::GuardDuty => "guardduty",
            Self::SecurityHub => "securityhub",
            Self::CloudTrail => "cloudtrail",
            Self::Config => "config",
            Self::Budgets => "budgets",
            Self::SsoAdmin => "sso-admin",
            Self::IdentityStore => "identitystore",
            Self::Sqs => "sqs",
        }
    }

    /// From the service of a SigV4 credential scope: `s3` and `sso` are what s3control and sso-admin sign with.
    pub(crate) fn of_scope(scope: &str) -> Option<Self> {
        Some(match scope {
            "sts" => Self::Sts,
            "organizations" => Self::Organizations,
            "iam" => Self::Iam,
            "account" => Self::Account,
            "s3" | "s3control" => Self::S3Control,
            "ec2" => Self::Ec2,
            "access-analyzer" => Self::AccessAnalyzer,
            "guardduty" => Self::GuardDuty,
            "securityhub" => Self::SecurityHub,
            "cloudtrail" => Self::CloudTrail,
            "config" => Self::Config,
            "budgets" => Self::Budgets,
            "sso" | "sso-admin" => Self::SsoAdmin,
            "identitystore" => Self::IdentityStore,
            "sqs" => Self::Sqs,
            _ => return None,
        })
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Sts | Self::Iam => Protocol::Query,
            Self::Ec2 => Protocol::Ec2,
            Self::Account | Self::AccessAnalyzer | Self::GuardDuty | Self::SecurityHub => Protocol::RestJson,
            Self::S3Control => Protocol::RestXml,
            Self::Organizations
            | Self::CloudTrail
            | Self::Config
            | Self::Budgets
            | Self::SsoAdmin
            | Self::IdentityStore
            | Self::Sqs => Protocol::Json,
        }
    }

    /// The code with which the service refuses a request that is wrong in itself.
    pub(crate) fn invalid(self) -> &'static str {
        match self {
            Self::Sts | Self::Iam => "ValidationError",
            Self::Organizations | Self::SecurityHub => "InvalidInputException",
            Self::Account | Self::AccessAnalyzer | Self::Config | Self::SsoAdmin | Self::IdentityStore => {
                "ValidationException"
            }
            Self::S3Control => "InvalidRequest",
            Self::Ec2 => "InvalidParameterValue",
            Self::GuardDuty => "BadRequestException",
            Self::CloudTrail | Self::Budgets => "InvalidParameterException",
            Self::Sqs => "InvalidParameterValue",
        }
    }
}

/// Who calls: an account and a role in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) role: String,
    pub(crate) session: String,
    /// The controller's own credentials, as opposed to those of an assumed role.
    pub(crate) controller: bool,
    pub(crate) read_only: bool,
}

impl Caller {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account, self.role, self.session)
    }
}

/// One call, understood.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) caller: Caller,
    pub(crate) params: Map<String, Value>,
    pub(crate) now: Timestamp,
}

impl Ask {
    /// Whether the operation only looks. AWS's own naming is the rule that the read-only role is held to.
    pub(crate) fn reads(&self) -> bool {
        ["Get", "List", "Describe"].iter().any(|verb| self.operation.starts_with(verb))
    }

    /// A refusal in the code this service uses for a wrong request.
    pub(crate) fn invalid(&self, message: impl Into<String>) -> Refusal {
        Refusal::new(self.service.invalid(), message)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// A text that the API requires and that may not be empty.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Refusal> {
        match self.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ if self.service == Service::Ec2 => Err(Refusal::new(
                "MissingParameter",
                format!("The request must contain the parameter {name}"),
            )),
            _ => Err(self.invalid(format!(
                "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"
            ))),
        }
    }

    /// A number, sent as one by the JSON protocols and as text by Query.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.params.get(name) else { return Ok(None) };
        let parsed = match value {
            Value::Null => return Ok(None),
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        parsed.map(Some).ok_or_else(|| self.invalid(format!("Value at '{name}' is not a number")))
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.params.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => Some(text == "true"),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(crate) fn array(&self, name: &str) -> &[Value] {
        self.params.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.params.get(name).and_then(Value::as_object)
    }

    /// The list `Name.1`, `Name.2`, … of a Query request; also `Name.member.1`, which IAM and STS use.
    pub(crate) fn numbered(&self, name: &str) -> Vec<&str> {
        let dotted =
            |n: usize| self.text(&format!("{name}.{n}")).or_else(|| self.text(&format!("{name}.member.{n}")));
        (1..).map_while(dotted).collect()
    }
}

/// A member of a JSON object as text, empty when it is not there.
pub(crate) fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
