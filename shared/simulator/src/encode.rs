//! Answers and refusals in each protocol's wire format.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use crate::ask::{Protocol, Service};
use crate::refusal::Refusal;
use crate::xml;

pub(crate) type Answer = Response<Full<Bytes>>;

/// A successful answer.
pub(crate) fn success(service: Service, operation: &str, value: &Value, request_id: &str) -> Answer {
    match service.protocol() {
        Protocol::Json => {
            // Operations without output answer an empty body in some services and `{}` in others; clients take both.
            let body = if value.is_null() { String::new() } else { value.to_string() };
            build(200, json_type(service), request_id, body)
        }
        Protocol::RestJson => {
            let body = if value.is_null() { "{}".to_owned() } else { value.to_string() };
            build(200, "application/json", request_id, body)
        }
        Protocol::Query => {
            let mut body = format!("<{operation}Response xmlns=\"{}\">", namespace(service));
            if !value.is_null() {
                xml::write(&mut body, &format!("{operation}Result"), value, "member");
            }
            body.push_str("<ResponseMetadata><RequestId>");
            body.push_str(request_id);
            body.push_str(&format!("</RequestId></ResponseMetadata></{operation}Response>"));
            build(200, "text/xml", request_id, body)
        }
        Protocol::Ec2 => {
            let mut body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{}\"><requestId>{request_id}</requestId>",
                namespace(service)
            );
            for (name, inner) in value.as_object().into_iter().flatten() {
                xml::write(&mut body, name, inner, "item");
            }
            body.push_str(&format!("</{operation}Response>"));
            build(200, "text/xml;charset=UTF-8", request_id, body)
        }
        Protocol::RestXml => {
            let mut body = String::new();
            for (name, inner) in value.as_object().into_iter().flatten() {
                body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
                xml::write(&mut body, name, inner, "member");
            }
            let status = if operation.starts_with("Delete") { 204 } else { 200 };
            build(status, "application/xml", request_id, body)
        }
    }
}

/// A refusal; a request of no known service is answered like a JSON one.
pub(crate) fn failure(service: Option<Service>, refusal: &Refusal, request_id: &str) -> Answer {
    let status = status(service, refusal);
    let Refusal { code, message, members, .. } = refusal;
    match service.map(Service::protocol) {
        None | Some(Protocol::Json) => {
            let service = service.unwrap_or(Service::Organizations);
            let (kind, text) = if service == Service::Sqs {
                (format!("com.amazonaws.sqs#{code}"), "message")
            } else {
                (code.clone(), "Message")
            };
            let mut body =
                Map::from_iter([("__type".to_owned(), Value::from(kind)), (text.to_owned(), json!(message))]);
            body.extend(members.clone());
            let mut answer = build(status, json_type(service), request_id, Value::Object(body).to_string());
            header(&mut answer, "x-amzn-errortype", code);
            if service == Service::Sqs {
                header(&mut answer, "x-amzn-query-error", &format!("{};Sender", query_code(code)));
            }
            answer
        }
        Some(Protocol::RestJson) => {
            let mut body = Map::from_iter([("message".to_owned(), json!(message))]);
            body.extend(members.clone());
            let mut answer = build(status, "application/json", request_id, Value::Object(body).to_string());
            header(&mut answer, "x-amzn-errortype", code);
            answer
        }
        Some(Protocol::Query) => {
            let kind = if status >= 500 { "Receiver" } else { "Sender" };
            let namespace = service.map(namespace).unwrap_or_default();
            let mut body = format!("<ErrorResponse xmlns=\"{namespace}\">");
            xml::write(
                &mut body,
                "Error",
                &ordered(&[("Type", kind), ("Code", code), ("Message", message)]),
                "member",
            );
            body.push_str(&format!("<RequestId>{request_id}</RequestId></ErrorResponse>"));
            build(status, "text/xml", request_id, body)
        }
        Some(Protocol::Ec2) => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>");
            xml::write(&mut body, "Error", &ordered(&[("Code", code), ("Message", message)]), "item");
            body.push_str(&format!("</Errors><RequestID>{request_id}</RequestID></Response>"));
            build(status, "text/xml;charset=UTF-8", request_id, body)
        }
        Some(Protocol::RestXml) => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse>");
            xml::write(&mut body, "Error", &ordered(&[("Code", code), ("Message", message)]), "member");
            body.push_str(&format!(
                "<RequestId>{request_id}</RequestId><HostId>landfall</HostId></ErrorResponse>"
            ));
            build(status, "application/xml", request_id, body)
        }
    }
}

/// The status that goes with a code. JSON services answer 400 to almost everything, also to a denial; REST and Query
/// services tell denials and missing things apart.
pub(crate) fn status(service: Option<Service>, refusal: &Refusal) -> u16 {
    if let Some(status) = refusal.status {
        return status;
    }
    let code = refusal.code.as_str();
    let json = service.is_none_or(|service| service.protocol() == Protocol::Json);
    match code {
        "ServiceUnavailable" | "RequestLimitExceeded" | "SlowDown" => 503,
        _ if json => 400,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "RegionDisabledException" => 403,
        "AuthFailure" => 401,
        "NoSuchEntity" | "ResourceNotFoundException" | "NoSuchPublicAccessBlockConfiguration" => 404,
        "EntityAlreadyExists" | "LimitExceeded" | "ConflictException" => 409,
        "TooManyRequestsException" | "ThrottlingException" => 429,
        _ => 400,
    }
}

/// SQS spoke Query before it spoke JSON, and clients still show its old codes.
fn query_code(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "QueueNameExists" => "QueueAlreadyExists".to_owned(),
        "EmptyBatchRequest"
        | "TooManyEntriesInBatchRequest"
        | "BatchEntryIdsNotDistinct"
        | "MessageNotInflight" => {
            format!("AWS.SimpleQueueService.{code}")
        }
        other => other.to_owned(),
    }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
        Service::Organizations
        | Service::Account
        | Service::S3Control
        | Service::AccessAnalyzer
        | Service::GuardDuty
        | Service::SecurityHub
        | Service::CloudTrail
        | Service::Config
        | Service::Budgets
        | Service::SsoAdmin
        | Service::IdentityStore
        | Service::Sqs => "",
    }
}

fn json_type(service: Service) -> &'static str {
    if service == Service::Sqs { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" }
}

/// An object that keeps this order where serde_json does, and is right either way.
fn ordered(members: &[(&str, &str)]) -> Value {
    Value::Object(members.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect())
}

fn build(status: u16, kind: &'static str, request_id: &str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    header(&mut answer, "content-type", kind);
    header(&mut answer, "x-amzn-requestid", request_id);
    answer
}

fn header(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
