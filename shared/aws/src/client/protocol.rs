//! What goes over the wire: requests of the five protocols, and the answers they get.

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::service::{Json, Query, Rest};
use crate::error::{CallError, Misread, tidy};

/// A request before it is addressed and signed.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: http::Method,
    /// With the query, already percent-encoded.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// Bodies are left out: a role's credentials travel in one.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

impl Json {
    pub(crate) fn request(&self, operation: &str, body: &Value) -> Request {
        Request {
            method: http::Method::POST,
            path: "/".to_owned(),
            headers: vec![
                ("content-type", self.content_type.to_owned()),
                ("x-amz-target", format!("{}.{operation}", self.target)),
            ],
            body: body.to_string().into(),
        }
    }
}

impl Query {
    pub(crate) fn request(&self, operation: &str, params: &[(&str, String)]) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", operation).append_pair("Version", self.version);
        for (name, value) in params {
            form.append_pair(name, value);
        }
        Request {
            method: http::Method::POST,
            path: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: form.finish().into(),
        }
    }
}

impl Rest {
    pub(crate) fn request(&self, method: http::Method, path: &str, body: Bytes) -> Request {
        let headers = match body.is_empty() {
            true => Vec::new(),
            false => vec![("content-type", self.content_type.to_owned())],
        };
        Request { method, path: path.to_owned(), headers, body }
    }
}

/// The SDK's pipeline puts the host in front of it and signs.
pub(super) fn serialize(request: Request) -> Result<HttpRequest, BoxError> {
    let Request { method, path, headers, body } = request;
    let mut wire = http::Request::builder().method(method.clone()).uri(path);
    for (name, value) in headers {
        wire = wire.header(name, value);
    }
    if !body.is_empty() || method == http::Method::POST || method == http::Method::PUT {
        wire = wire.header("content-length", body.len());
    }
    Ok(wire.body(SdkBody::from(body))?.try_into()?)
}

/// An answer that says yes.
pub(crate) struct Reply {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// What AWS support asks for, and the evidence that we looked.
    pub(crate) request_id: Option<String>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, operation, status, body, request_id } = self;
        write!(f, "{service} {operation}: {status}, {} bytes, request {request_id:?}", body.len())
    }
}

impl Reply {
    /// An operation without an answer has an empty body; it reads as an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| self.unreadable(error))
    }

    pub(crate) fn xml<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        quick_xml::de::from_reader(&*self.body).map_err(|error| self.unreadable(error))
    }

    /// For a caller who reads the answer and finds that something is wrong with it.
    pub(crate) fn unreadable(&self, cause: impl std::error::Error + Send + Sync + 'static) -> CallError {
        CallError::Unreadable {
            service: self.service,
            operation: self.operation,
            status: self.status,
            request_id: self.request_id.clone(),
            source: Box::new(cause),
        }
    }
}

/// What came back, as the SDK's pipeline hands it on.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) request_id: Option<String>,
}

/// Bytes that print nothing of themselves.
pub(super) struct Body(pub(super) Bytes);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// An answer that says no, or nothing that we understand. The retry classifiers read `meta`.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) meta: ErrorMetadata,
    pub(super) request_id: Option<String>,
    pub(super) misread: Option<Misread>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with status {}", self.meta.code().unwrap_or("an answer without a code"), self.status)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}

pub(super) fn deserialize(response: &HttpResponse) -> Result<Accepted, OrchestratorError<Refusal>> {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let header = |name| response.headers().get(name);
    let request_id =
        ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"].into_iter().find_map(header).map(tidy);
    let web_page = is_web_page(body);
    if response.status().is_success() && !web_page {
        return Ok(Accepted { status, body: Body(Bytes::copy_from_slice(body)), request_id });
    }
    let said = if web_page { Said::default() } else { Said::read(header("x-amzn-errortype"), body) };
    let Said { code, message, request_id: in_body } = said;
    let misread = match (&code, web_page) {
        (_, true) => Some(Misread::WebPage),
        (None, false) => Some(Misread::NoCode),
        (Some(_), false) => None,
    };
    let mut meta = ErrorMetadata::builder();
    if let Some(code) = code {
        meta = meta.code(code);
    }
    if let Some(message) = message {
        meta = meta.message(message);
    }
    let request_id = request_id.or(in_body);
    Err(OrchestratorError::operation(Refusal { status, meta: meta.build(), request_id, misread }))
}

/// A proxy or a load balancer speaking for itself. Never an answer of a service, not even with status 200.
fn is_web_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [b"<!doctype html".as_slice(), b"<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag)))
}

/// What an error says, in whichever of the protocols.
#[derive(Debug, Default, PartialEq)]
struct Said {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl Said {
    /// The code is in the header `x-amzn-errortype` (REST-JSON), else in `__type` or `code` (JSON), else in the first `Code`
    /// element: EC2 puts it in `Response/Errors/Error`, IAM and STS in `ErrorResponse/Error`, S3 in `Error`.
    fn read(error_type: Option<&str>, body: &[u8]) -> Self {
        let from_body = match serde_json::from_slice::<Value>(body) {
            Ok(json) => {
                let text =
                    |names: &[&str]| names.iter().find_map(|n| json.get(n)?.as_str()).map(str::to_owned);
                Said {
                    code: text(&["__type", "code", "Code"]),
                    message: text(&["message", "Message", "errorMessage"]),
                    request_id: None,
                }
            }
            Err(_) => {
                let xml = String::from_utf8_lossy(body);
                Said {
                    code: element(&xml, "Code"),
                    message: element(&xml, "Message"),
                    request_id: element(&xml, "RequestId").or_else(|| element(&xml, "RequestID")),
                }
            }
        };
        let Said { code, message, request_id } = from_body;
        let code =
            error_type.map(str::to_owned).or(code).map(|code| bare(&code)).filter(|code| !code.is_empty());
        Said { code, message: message.as_deref().map(tidy), request_id: request_id.as_deref().map(tidy) }
    }
}

/// `com.amazonaws.sqs#QueueDoesNotExist` and `ResourceNotFoundException:http://…` without their decoration.
fn bare(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    tidy(code.rsplit('#').next().unwrap_or_default())
}

fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once('<')?;
    Some(quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), |text| text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error_type: Option<&str>, body: &str) -> (Option<String>, Option<String>, Option<String>) {
        let Said { code, message, request_id } = Said::read(error_type, body.as_bytes());
        (code, message, request_id)
    }

    /// Bodies as the services' protocols define them.
    #[test]
    fn every_protocol_tells_its_code_and_message() {
        let some = |s: &str| Some(s.to_owned());
        // JSON 1.1
        assert_eq!(
            said(None, r#"{"__type":"AccessDeniedException","Message":"You don't have permissions"}"#),
            (some("AccessDeniedException"), some("You don't have permissions"), None)
        );
        // JSON 1.0, with the name of the model in front
        assert_eq!(
            said(None, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}"#),
            (some("QueueDoesNotExist"), some("no such queue"), None)
        );
        // REST-JSON: the header tells, the body may not
        assert_eq!(
            said(Some("ResourceNotFoundException:http://internal.amazon.com/"), r#"{"message":"none"}"#),
            (some("ResourceNotFoundException"), some("none"), None)
        );
        assert_eq!(said(Some("AccessDeniedException"), ""), (some("AccessDeniedException"), None, None));
        // Query
        assert_eq!(
            said(
                None,
                "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
                 <Code>NoSuchEntity</Code><Message>The policy of &apos;x&apos; &amp; co</Message></Error>\
                 <RequestId>r-1</RequestId></ErrorResponse>"
            ),
            (some("NoSuchEntity"), some("The policy of 'x' & co"), some("r-1"))
        );
        // EC2
        assert_eq!(
            said(
                None,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors>\
                 <RequestID>r-2</RequestID></Response>"
            ),
            (some("UnauthorizedOperation"), some("no"), some("r-2"))
        );
        // REST-XML
        assert_eq!(
            said(
                None,
                "<?xml version=\"1.0\"?><Error><Code>NoSuchPublicAccessBlockConfiguration</Code>\
                 <Message>absent</Message><RequestId>r-3</RequestId></Error>"
            ),
            (some("NoSuchPublicAccessBlockConfiguration"), some("absent"), some("r-3"))
        );
    }

    #[test]
    fn what_is_no_error_of_a_service_has_no_code() {
        for body in ["", "upstream connect error", "[]", "null", "{}", "<oops/>", "<Code>", "\u{0}"] {
            assert_eq!(said(None, body), (None, said(None, body).1, None), "{body}");
        }
        assert!(is_web_page(b"\r\n<!DOCTYPE html><html>"));
        assert!(is_web_page(b"<HTML>"));
        assert!(!is_web_page(b"<ErrorResponse>"));
        assert!(!is_web_page(b""));
    }
}
