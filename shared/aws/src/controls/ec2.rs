//! How controls speak to EC2: settings of a region, filters, lists in a form, pages, and what a region does not have.

use landfall_engine::cloud::Sighting;
use landfall_model::judgement::Verdict;
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::Change;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{form, reported, seen};
use crate::client::protocol::Reply;
use crate::client::service::EC2;
use crate::error::{CallError, Misread};
use crate::session::Session;

/// What holds a setting of a region: the account, or a declarative policy of the organization, against which the account's own
/// writes are refused.
const BY_POLICY: &str = "declarative-policy";

/// Looks at a setting of the address's region that is there in every account.
pub(super) async fn setting<T>(
    session: &Session,
    address: &Address,
    operation: &'static str,
) -> Result<Sighting, CallError>
where
    T: DeserializeOwned + Serialize,
{
    let region = session.region(address.region.as_ref());
    match session.tenant.query(&EC2, region, operation, &[]).await {
        Ok(reply) => Ok(seen(&reply, &reply.xml::<T>()?)),
        // The operation takes nothing that could be wrong: the region or the partition does not know it.
        Err(error) if matches!(error.code(), Some("InvalidAction" | "UnsupportedOperation")) => {
            let why = format!("EC2 in `{region}` has no `{operation}`");
            Ok(Sighting { seen: Seen::NotOffered(why), request: error.request_id().map(str::to_owned) })
        }
        Err(error) => Err(error),
    }
}

/// Writes a setting of the change's region: what it should be after is what the operation takes.
pub(super) async fn put(
    session: &Session,
    change: &Change,
    operation: &'static str,
) -> Result<Value, CallError> {
    let region = session.region(change.address.region.as_ref());
    session.tenant.query(&EC2, region, operation, &form(change.after.as_ref())).await?;
    Ok(Value::Null)
}

/// The change puts it right, unless a policy holds the setting.
pub(super) fn unless_by_policy(managed_by: Option<&str>, change: Change) -> Verdict {
    match managed_by {
        Some(BY_POLICY) => reported(format!(
            "{}, by a declarative policy of the organization, which has to be changed",
            change.reason
        )),
        Some(_) | None => Verdict::fails(change),
    }
}

/// All things of a kind that a filter lets through, with the last answer.
pub(super) async fn items<T: DeserializeOwned>(
    session: &Session,
    region: &str,
    operation: &'static str,
    (filter, value): (&str, &str),
) -> Result<(Vec<T>, Reply), CallError> {
    let mut params = vec![("Filter.1.Name", filter.to_owned()), ("Filter.1.Value.1", value.to_owned())];
    if operation == "DescribeNetworkInterfaces" {
        // Services may keep theirs out of sight, and these are in use as well.
        params.push(("IncludeManagedResources", "true".to_owned()));
    }
    let mut all = Vec::new();
    let mut last: Option<String> = None;
    loop {
        let mut ask = params.clone();
        if let Some(token) = &last {
            ask.push(("NextToken", token.clone()));
        }
        let reply = session.tenant.query(&EC2, region, operation, &ask).await?;
        let Page { set, next } = reply.xml()?;
        all.extend(set.item);
        match next.filter(|token| !token.is_empty()) {
            None => return Ok((all, reply)),
            Some(token) if last.as_ref() == Some(&token) => {
                return Err(reply.unreadable(Misread::SamePage));
            }
            Some(token) => last = Some(token),
        }
    }
}

/// A page of any list. One without its list was not understood, which is not the same as an empty one.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(
        alias = "vpcSet",
        alias = "subnetSet",
        alias = "internetGatewaySet",
        alias = "networkInterfaceSet",
        alias = "routeTableSet",
        alias = "networkAclSet",
        alias = "securityGroupInfo"
    )]
    set: Set<T>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

/// A list as EC2 writes it.
#[derive(Deserialize)]
pub(super) struct Set<T> {
    #[serde(default = "Vec::new")]
    pub(super) item: Vec<T>,
}

/// For a list that EC2 leaves out when it is empty.
impl<T> Default for Set<T> {
    fn default() -> Self {
        Set { item: Vec::new() }
    }
}

/// Something attached; who asks wants to know how many there are.
#[derive(Deserialize)]
pub(super) struct NetworkInterface {
    #[serde(rename = "networkInterfaceId")]
    _id: String,
}

/// AWS answers in any order, and a setting that is the same must look the same.
pub(super) fn sorted<T: Ord>(things: impl Iterator<Item = T>) -> Vec<T> {
    let mut things: Vec<T> = things.collect();
    things.sort_unstable();
    things
}

/// The error, unless it says that the thing is not there: whoever deletes is content with that.
pub(super) fn gone(outcome: Result<Reply, CallError>) -> Result<(), CallError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A value as the parameters of a call: lists are numbered from 1, members joined with dots.
pub(super) fn flatten(name: &str, value: &Value, params: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::String(text) => params.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => params.push((name.to_owned(), value.to_string())),
        Value::Array(list) => {
            for (place, value) in list.iter().enumerate() {
                flatten(&format!("{name}.{}", place + 1), value, params);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, params);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vpc {
        vpc_id: String,
    }

    fn page(xml: &str) -> Result<(Vec<Vpc>, Option<String>), String> {
        let page: Page<Vpc> = quick_xml::de::from_str(xml).map_err(|error| error.to_string())?;
        Ok((page.set.item, page.next))
    }

    #[test]
    fn a_page_without_its_list_is_no_empty_page() {
        let vpc = |id: &str| Vpc { vpc_id: id.to_owned() };
        let full = "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\n\
            <vpcSet>\n<item><vpcId>vpc-1</vpcId><tagSet/></item><item><vpcId>vpc-2</vpcId></item></vpcSet>\
            <nextToken>t</nextToken></DescribeVpcsResponse>";
        assert_eq!(page(full), Ok((vec![vpc("vpc-1"), vpc("vpc-2")], Some("t".to_owned()))));
        for empty in ["<R><vpcSet/></R>", "<R><vpcSet></vpcSet></R>", "<R>\n <vpcSet>\n </vpcSet>\n</R>"] {
            assert_eq!(page(empty), Ok((vec![], None)), "{empty}");
        }
        assert!(page("<R><requestId>r</requestId></R>").is_err());
    }

    #[test]
    fn a_value_becomes_numbered_parameters() {
        let mut params = Vec::new();
        let rules = json!([{"IpProtocol": "-1", "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}], "IpRanges": []}]);
        flatten("IpPermissions", &rules, &mut params);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            params,
            [
                pair("IpPermissions.1.Groups.1.GroupId", "sg-1"),
                pair("IpPermissions.1.Groups.2.GroupId", "sg-2"),
                pair("IpPermissions.1.IpProtocol", "-1"),
            ]
        );
    }
}
