//! EventBridge events as Organizations sends them: only in us-east-1 of the management account, at least once in life,
//! exactly once here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::world::{World, uuid};

/// Organizations is a global service, and its events live in one region.
const REGION: &str = "us-east-1";

/// `May 15, 2023 8:26:54 AM`: CloudTrail's service events write dates for people.
pub(crate) fn spoken_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

/// The end of a CreateAccount: `Ok` with the new account's id, `Err` with the reason it failed.
///
/// The id is in one place only, and the name is masked: whoever wants to know more has to ask DescribeAccount.
pub(crate) fn account_created(world: &mut World, request: &str, outcome: Result<&str, &str>, now: Timestamp) {
    let mut status = json!({
        "id": request,
        "state": if outcome.is_ok() { "SUCCEEDED" } else { "FAILED" },
        "accountName": "****",
        "requestedTimestamp": spoken_date(now),
        "completedTimestamp": spoken_date(now),
    });
    if let Some(members) = status.as_object_mut() {
        match outcome {
            Ok(account) => members.insert("accountId".to_owned(), Value::from(account)),
            Err(reason) => members.insert("failureReason".to_owned(), Value::from(reason)),
        };
    }
    service_event(world, "CreateAccountResult", &json!({ "createAccountStatus": status }), now);
}

/// The end of a CloseAccount.
pub(crate) fn account_closed(world: &mut World, account: &str, now: Timestamp) {
    let status = json!({
        "accountId": account,
        "state": "SUCCEEDED",
        "requestedTimestamp": spoken_date(now),
        "completedTimestamp": spoken_date(now),
    });
    service_event(world, "CloseAccountResult", &json!({ "closeAccountStatus": status }), now);
}

/// Something Organizations did by itself.
fn service_event(world: &mut World, name: &str, details: &Value, now: Timestamp) {
    let account = world.organization.management_account.clone();
    let detail = json!({
        "eventVersion": "1.08",
        "userIdentity": {"accountId": account, "invokedBy": "organizations.amazonaws.com"},
        "eventTime": seconds(now),
        "eventSource": "organizations.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "organizations.amazonaws.com",
        "userAgent": "organizations.amazonaws.com",
        "requestParameters": null,
        "responseElements": null,
        "eventID": fresh(world, "eventID"),
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": account,
        "serviceEventDetails": details,
        "eventCategory": "Management",
    });
    emit(world, "AWS Service Event via CloudTrail", &detail, now);
}

/// A successful call of ours that CloudTrail records.
pub(crate) fn api_call(world: &mut World, ask: &Ask, request: &Value, response: &Value) {
    let account = world.organization.management_account.clone();
    let detail = json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROA:{}", ask.caller.session),
            "arn": ask.caller.arn(),
            "accountId": ask.caller.account,
        },
        "eventTime": seconds(ask.now),
        "eventSource": "organizations.amazonaws.com",
        "eventName": ask.operation,
        "awsRegion": REGION,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "landfall-simulator",
        "requestParameters": request,
        "responseElements": response,
        "requestID": fresh(world, "requestID"),
        "eventID": fresh(world, "eventID"),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    emit(world, "AWS API Call via CloudTrail", &detail, ask.now);
}

fn emit(world: &mut World, kind: &str, detail: &Value, now: Timestamp) {
    let event = json!({
        "version": "0",
        "id": fresh(world, "event"),
        "detail-type": kind,
        "source": "aws.organizations",
        "account": world.organization.management_account,
        "time": seconds(now),
        "region": REGION,
        "resources": [],
        "detail": detail,
    });
    world.events.push(event);
}

/// EventBridge and CloudTrail write whole seconds.
fn seconds(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn fresh(world: &mut World, what: &str) -> String {
    world.issued += 1;
    uuid(&format!("{what}{}", world.issued))
}

#[cfg(test)]
mod tests {
    use super::spoken_date;

    #[test]
    fn dates_are_written_as_cloudtrail_does() {
        assert_eq!(spoken_date("2023-05-15T08:26:54Z".parse().unwrap()), "May 15, 2023 8:26:54 AM");
        assert_eq!(spoken_date("2020-09-16T22:04:35Z".parse().unwrap()), "Sep 16, 2020 10:04:35 PM");
    }
}
