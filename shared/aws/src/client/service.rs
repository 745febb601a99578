//! The services that we call, as a table: how each one is named, addressed, signed and spoken to.

use crate::endpoint::{Exception, Host};

/// What every service has, whatever it speaks.
#[derive(Debug)]
pub(crate) struct About {
    /// In errors, logs and the user agent.
    pub(crate) name: &'static str,
    /// The SDKs' id, which names the setting of its endpoint: `S3 Control` is `AWS_ENDPOINT_URL_S3_CONTROL`.
    pub(crate) sdk_id: &'static str,
    pub(crate) signing_name: &'static str,
    pub(crate) host: Host,
    /// Requests go to `{account}.{host}` and carry `x-amz-account-id`.
    pub(crate) account_in_host: bool,
}

/// One service and its protocol; the type keeps a JSON call from going to a Query service.
#[derive(Debug)]
pub(crate) struct Service<P> {
    pub(crate) about: About,
    pub(crate) protocol: P,
}

/// AWS JSON: the operation in a header, everything else in the body.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) target: &'static str,
    pub(crate) content_type: &'static str,
}

/// AWS Query, and EC2's dialect of it: a form to send, XML to read.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) version: &'static str,
}

/// REST-JSON and REST-XML: method and path tell the operation, the body's type is the difference.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) content_type: &'static str,
}

const fn regional(
    name: &'static str,
    sdk_id: &'static str,
    signing_name: &'static str,
    prefix: &'static str,
) -> About {
    About { name, sdk_id, signing_name, host: Host::Regional(prefix), account_in_host: false }
}

const fn global(name: &'static str, sdk_id: &'static str, exceptions: &'static [Exception]) -> About {
    let host = Host::Global { prefix: name, exceptions };
    About { name, sdk_id, signing_name: name, host, account_in_host: false }
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

pub(crate) static STS: Service<Query> =
    Service { about: regional("sts", "STS", "sts", "sts"), protocol: Query { version: "2011-06-15" } };

pub(crate) static ORGANIZATIONS: Service<Json> = Service {
    about: global("organizations", "Organizations", &[]),
    protocol: Json { target: "AWSOrganizationsV20161128", content_type: JSON_1_1 },
};

pub(crate) static IAM: Service<Query> = Service {
    about: global(
        "iam",
        "IAM",
        &[
            Exception { partition: "aws", host: "iam.amazonaws.com", signing_region: "us-east-1" },
            Exception {
                partition: "aws-cn",
                host: "iam.cn-north-1.amazonaws.com.cn",
                signing_region: "cn-north-1",
            },
            Exception {
                partition: "aws-us-gov",
                host: "iam.us-gov.amazonaws.com",
                signing_region: "us-gov-west-1",
            },
        ],
    ),
    protocol: Query { version: "2010-05-08" },
};

pub(crate) static ACCOUNT: Service<Rest> =
    Service { about: global("account", "Account", &[]), protocol: Rest { content_type: "application/json" } };

pub(crate) static S3CONTROL: Service<Rest> = Service {
    about: About {
        name: "s3control",
        sdk_id: "S3 Control",
        signing_name: "s3",
        host: Host::Regional("s3-control"),
        account_in_host: true,
    },
    protocol: Rest { content_type: "application/xml" },
};

pub(crate) static EC2: Service<Query> =
    Service { about: regional("ec2", "EC2", "ec2", "ec2"), protocol: Query { version: "2016-11-15" } };

pub(crate) static KMS: Service<Json> = Service {
    about: regional("kms", "KMS", "kms", "kms"),
    protocol: Json { target: "TrentService", content_type: JSON_1_1 },
};

pub(crate) static ACCESS_ANALYZER: Service<Rest> = Service {
    about: regional("accessanalyzer", "AccessAnalyzer", "access-analyzer", "access-analyzer"),
    protocol: Rest { content_type: "application/json" },
};

pub(crate) static GUARDDUTY: Service<Rest> = Service {
    about: regional("guardduty", "GuardDuty", "guardduty", "guardduty"),
    protocol: Rest { content_type: "application/json" },
};

pub(crate) static SECURITY_HUB: Service<Rest> = Service {
    about: regional("securityhub", "SecurityHub", "securityhub", "securityhub"),
    protocol: Rest { content_type: "application/json" },
};

pub(crate) static CLOUDTRAIL: Service<Json> = Service {
    about: regional("cloudtrail", "CloudTrail", "cloudtrail", "cloudtrail"),
    protocol: Json {
        target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        content_type: JSON_1_1,
    },
};

pub(crate) static CONFIG: Service<Json> = Service {
    about: regional("config", "Config Service", "config", "config"),
    protocol: Json { target: "StarlingDoveService", content_type: JSON_1_1 },
};

pub(crate) static BUDGETS: Service<Json> = Service {
    about: global(
        "budgets",
        "Budgets",
        &[
            Exception { partition: "aws", host: "budgets.amazonaws.com", signing_region: "us-east-1" },
            Exception {
                partition: "aws-cn",
                host: "budgets.amazonaws.com.cn",
                signing_region: "cn-northwest-1",
            },
            // The published rules give GovCloud the commercial host, with its own signing region.
            Exception {
                partition: "aws-us-gov",
                host: "budgets.amazonaws.com",
                signing_region: "us-gov-west-1",
            },
            Exception {
                partition: "aws-eusc",
                host: "budgets.eusc-de-east-1.api.amazonwebservices.eu",
                signing_region: "eusc-de-east-1",
            },
            Exception { partition: "aws-iso", host: "budgets.c2s.ic.gov", signing_region: "us-iso-east-1" },
            Exception {
                partition: "aws-iso-b",
                host: "budgets.global.sc2s.sgov.gov",
                signing_region: "us-isob-east-1",
            },
            Exception {
                partition: "aws-iso-e",
                host: "budgets.global.cloud.adc-e.uk",
                signing_region: "eu-isoe-west-1",
            },
            Exception {
                partition: "aws-iso-f",
                host: "budgets.global.csp.hci.ic.gov",
                signing_region: "us-isof-south-1",
            },
        ],
    ),
    protocol: Json { target: "AWSBudgetServiceGateway", content_type: JSON_1_1 },
};

pub(crate) static SSO_ADMIN: Service<Json> = Service {
    about: regional("sso-admin", "SSO Admin", "sso", "sso"),
    protocol: Json { target: "SWBExternalService", content_type: JSON_1_1 },
};

pub(crate) static IDENTITY_STORE: Service<Json> = Service {
    about: regional("identitystore", "identitystore", "identitystore", "identitystore"),
    protocol: Json { target: "AWSIdentityStore", content_type: JSON_1_1 },
};

pub(crate) static SQS: Service<Json> = Service {
    about: regional("sqs", "SQS", "sqs", "sqs"),
    protocol: Json { target: "AmazonSQS", content_type: JSON_1_0 },
};

/// S3 is spoken by object_store; it stands here for its endpoint.
pub(crate) static S3: About = regional("s3", "S3", "s3", "s3");

/// All of them, for questions about every service.
pub(crate) static ALL: [&About; 17] = [
    &STS.about,
    &ORGANIZATIONS.about,
    &IAM.about,
    &ACCOUNT.about,
    &S3CONTROL.about,
    &EC2.about,
    &KMS.about,
    &ACCESS_ANALYZER.about,
    &GUARDDUTY.about,
    &SECURITY_HUB.about,
    &CLOUDTRAIL.about,
    &CONFIG.about,
    &BUDGETS.about,
    &SSO_ADMIN.about,
    &IDENTITY_STORE.about,
    &SQS.about,
    &S3,
];
