"""Drives an AWS endpoint on this machine with AWS's own client, and prints what came back with ids masked.

    drive.py URL

One JSON object a line: step, call (service.Operation), and `answer`, or `error` (the code) with `status`; `lacks` where the
endpoint has no such operation; `wrong`: what AWS's service models say against the raw answers. The same script runs against the simulator and against moto, which nobody here wrote, so every
step begins from an organization with its management account alone, and names everything it makes itself.
"""

import json
import logging
import re
import socket
import sys

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from check_answers import watch

# Retries would hide errors.
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
HOME, OTHER = "eu-central-1", "eu-west-1"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Sid": "No", "Effect": "Deny", "Action": "lightsail:*", "Resource": "*"}]}

# What the endpoint answers and AWS's service models do not allow.
PROBLEMS = []

# Ids that only their endpoint knows, by what the script calls them.
NAMES = {}
PATTERNS = [
    (re.compile(r"\b(vpc|subnet|igw|rtb|acl|eni|sg|sgr|dopt)-[0-9a-f]{8,17}\b"), r"<\1>"),
    (re.compile(r"\bp-[0-9a-z]{8,32}\b"), "<policy>"),
    (re.compile(r"\bou-[0-9a-z]{4}-[0-9a-z]{8,32}\b"), "<unit>"),
    (re.compile(r"\bcar-[0-9a-z]{8,32}\b"), "<request>"),
    (re.compile(r"\bo-[0-9a-z]{10,32}\b"), "<organization>"),
    (re.compile(r"\bssoins-[0-9a-f]{16}\b"), "<instance>"),
    (re.compile(r"\bps-[0-9a-f]{16}\b"), "<permission set>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
]


def masked(value):
    if isinstance(value, dict):
        return {key: masked(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [masked(inner) for inner in value]
    if isinstance(value, str):
        for known in sorted(NAMES, key=len, reverse=True):
            value = value.replace(known, f"<{NAMES[known]}>")
        for pattern, name in PATTERNS:
            value = pattern.sub(name, value)
        value = value.replace(URL, "<endpoint>")
        return value if len(value) <= 200 else f"{value[:80]}… {len(value)} characters"
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return f"<{type(value).__name__}>"


def resolve_loopback():
    """S3 Control puts the account id before the host, and `222222222222.127.0.0.1` is a name that nobody resolves."""
    real = socket.getaddrinfo

    def resolve(host, *rest, **options):
        return real("127.0.0.1" if str(host).endswith(".127.0.0.1") else host, *rest, **options)

    socket.getaddrinfo = resolve


def html(error):
    return any(mark in str(error).lower() for mark in ("<!doctype", "<html"))


class Driver:
    """One caller: an account's credentials, in a region."""

    def __init__(self, keys=None, region=HOME):
        keys = keys or {"AccessKeyId": "AKIAEXAMPLEEXAMPLE00", "SecretAccessKey": "secret"}
        self.session = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            region_name=region,
        )
        self.clients = {}
        watch(self.session, PROBLEMS)

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = self.session.client(service, endpoint_url=URL, config=CONFIG)
        return self.clients[service]

    def ask(self, service, operation, **parameters):
        """The raw answer, for what a later step needs."""
        return getattr(self.client(service), operation)(**parameters)

    def pages(self, service, operation, key, size, **parameters):
        """All pages of a list, asked for in small ones."""
        paginator = self.client(service).get_paginator(operation)
        pages = paginator.paginate(PaginationConfig={"PageSize": size}, **parameters)
        return {key: [item for page in pages for item in page.get(key, [])]}

    def step(self, name, service, operation, pick="@", pages=None, **parameters):
        """One call, whose answer (or the picked part of it) is printed. Returns the raw answer, or nothing after an error."""
        client = self.client(service)
        line = {"step": name, "call": f"{service}.{client.meta.method_to_api_mapping[operation]}"}
        answer = None
        PROBLEMS.clear()
        try:
            if pages:
                answer = self.pages(service, operation, pages[0], pages[1], **parameters)
            else:
                answer = getattr(client, operation)(**parameters)
                answer.pop("ResponseMetadata", None)
            line["answer"] = masked(jmespath.search(pick, answer))
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            # What it does not have, moto answers with a page of HTML, or with a code of its own.
            if html(error) or not code or code.isdigit() or code in ("NotImplemented", "NotYetImplemented"):
                line["lacks"] = True
            else:
                line["error"], line["status"] = code, status
        except (BotoCoreError, ResponseParserError) as error:
            # An answer that AWS's own client can't read is none.
            if html(error):
                line["lacks"] = True
            else:
                line["unreadable"] = f"{type(error).__name__}: {error}"[:300]
        if PROBLEMS:
            line["wrong"] = sorted(set(PROBLEMS))
        print(json.dumps(line, sort_keys=True, default=str), flush=True)
        return answer


def main():
    top = Driver()
    prepare(top)
    organizations(top)
    member = sessions(top)
    iam(top, member)
    account(top, member)
    s3control(top, member)
    ec2(member)
    access_analyzer(member)
    guardduty(member)
    security_hub(member)
    cloudtrail(top, member)
    config(member)
    budgets(member)
    identity(top)
    sqs(top)


def prepare(top):
    """The same beginning everywhere; nothing of it is compared."""
    try:
        top.ask("organizations", "create_organization", FeatureSet="ALL")
    except ClientError:
        pass  # The simulator's organization is there.
    root = top.ask("organizations", "list_roots")["Roots"][0]["Id"]
    NAMES[root] = "root"
    NAMES[top.ask("sts", "get_caller_identity")["Account"]] = "management"
    NAMES[top.ask("organizations", "describe_organization")["Organization"]["Id"]] = "organization"
    try:
        top.ask("organizations", "enable_policy_type", RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    except ClientError:
        pass  # It may be on from the start.


def named(name):
    return next(key for key, value in NAMES.items() if value == name)


def organizations(top):
    def ask(name, operation, pick="@", **parameters):
        return top.step(f"organizations: {name}", "organizations", operation, pick, **parameters)

    root = named("root")
    ask("which one", "describe_organization", "Organization.{Id: Id, FeatureSet: FeatureSet, Master: MasterAccountId}")
    ask("the roots", "list_roots", "Roots[].{Id: Id, Name: Name, PolicyTypes: PolicyTypes}")
    ask("a policy type that is on", "enable_policy_type", RootId=root, PolicyType="SERVICE_CONTROL_POLICY")

    made = ask("a unit", "create_organizational_unit", "OrganizationalUnit.Name", ParentId=root, Name="workloads")
    unit = made["OrganizationalUnit"]["Id"]
    NAMES[unit] = "workloads"
    ask("its name once more", "create_organizational_unit", ParentId=root, Name="workloads")
    made = ask("a unit in it", "create_organizational_unit", "OrganizationalUnit.Arn", ParentId=unit, Name="production")
    inner = made["OrganizationalUnit"]["Id"]
    NAMES[inner] = "production"
    ask("a unit nowhere", "create_organizational_unit", ParentId="ou-ab12-00000000", Name="lost")
    ask("units in it", "list_organizational_units_for_parent", "OrganizationalUnits[].Name", ParentId=unit)
    ask("units nowhere", "list_organizational_units_for_parent", ParentId="ou-ab12-00000000")
    ask("the unit", "describe_organizational_unit", "OrganizationalUnit.{Id: Id, Name: Name}", OrganizationalUnitId=unit)
    ask("no unit", "describe_organizational_unit", OrganizationalUnitId="ou-ab12-00000000")
    ask("a new name", "update_organizational_unit", "OrganizationalUnit.Name", OrganizationalUnitId=inner, Name="prod")
    ask("children", "list_children", "Children[].{Id: Id, Type: Type}", ParentId=unit, ChildType="ORGANIZATIONAL_UNIT")
    ask("a unit's parents", "list_parents", "Parents[]", ChildId=inner)

    request = ask("an account", "create_account", "CreateAccountStatus.AccountName", AccountName="shop", Email="aws+shop@example.com")
    request = request["CreateAccountStatus"]["Id"]
    account = wait_for(top, request)["AccountId"]
    NAMES[account] = "member"
    ask("its creation", "describe_create_account_status", "CreateAccountStatus.{State: State, Name: AccountName, Account: AccountId}", CreateAccountRequestId=request)
    again = top.ask("organizations", "create_account", AccountName="shop2", Email="aws+shop@example.com")
    wait_for(top, again["CreateAccountStatus"]["Id"])
    ask("the same e-mail", "describe_create_account_status", "CreateAccountStatus.{State: State, Why: FailureReason}", CreateAccountRequestId=again["CreateAccountStatus"]["Id"])
    ask("no creation", "describe_create_account_status", CreateAccountRequestId="car-00000000000000000000000000000000")
    ask("creations that ended well", "list_create_account_status", "length(CreateAccountStatuses) > `0`", States=["SUCCEEDED"])
    ask("the account", "describe_account", "Account.{Id: Id, Arn: Arn, Email: Email, Name: Name, Status: Status, Joined: JoinedMethod}", AccountId=account)
    ask("its newer state", "describe_account", "Account.State", AccountId=account)
    ask("no account", "describe_account", AccountId="999999999999")
    ask("all accounts, a page for each", "list_accounts", "sort(Accounts[?Name != 'shop2' && Id != '%s'].Name)" % named("management"), pages=("Accounts", 1))
    ask("a token that nobody gave", "list_accounts", MaxResults=5, NextToken="made-up")

    ask("an account's parents", "list_parents", "Parents[]", ChildId=account)
    ask("parents of nobody", "list_parents", ChildId="999999999999")
    move = {"AccountId": account, "SourceParentId": root, "DestinationParentId": unit}
    ask("a move from elsewhere", "move_account", **{**move, "SourceParentId": inner})
    ask("a move", "move_account", **move)
    ask("a move to nowhere", "move_account", **{**move, "SourceParentId": unit, "DestinationParentId": "ou-ab12-00000000"})
    ask("a move of nobody", "move_account", **{**move, "AccountId": "999999999999"})
    ask("where it is now", "list_parents", "Parents[]", ChildId=account)
    ask("accounts in the unit", "list_accounts_for_parent", "Accounts[].Name", ParentId=unit)
    ask("accounts nowhere", "list_accounts_for_parent", ParentId="ou-ab12-00000000")

    tags = [{"Key": "team", "Value": "payments"}, {"Key": "cost-center", "Value": "4711"}]
    ask("tags", "tag_resource", ResourceId=account, Tags=tags)
    ask("another value", "tag_resource", ResourceId=account, Tags=[{"Key": "team", "Value": "shop"}])
    ask("one tag less", "untag_resource", ResourceId=account, TagKeys=["cost-center"])
    ask("its tags", "list_tags_for_resource", "Tags", ResourceId=account)
    ask("tags of nobody", "list_tags_for_resource", ResourceId="999999999999")

    text = json.dumps(DENY, separators=(",", ":"))
    policy = {"Name": "no-lightsail", "Description": "ours", "Type": "SERVICE_CONTROL_POLICY", "Content": text}
    made = ask("a policy", "create_policy", "Policy.PolicySummary.{Name: Name, Description: Description, Type: Type, Managed: AwsManaged}", **policy)
    made = made["Policy"]["PolicySummary"]["Id"]
    NAMES[made] = "policy"
    ask("its name again", "create_policy", **policy)
    ask("a policy that is no policy", "create_policy", **{**policy, "Name": "broken", "Content": "{]"})
    ask("a policy too long", "create_policy", **{**policy, "Name": "long", "Content": json.dumps({**DENY, "Id": "x" * 20000})})
    ask("what it says", "describe_policy", "Policy.Content", PolicyId=made)
    ask("another content", "update_policy", "Policy.Content", PolicyId=made, Content=json.dumps(FULL, separators=(",", ":")))
    ask("no policy", "describe_policy", PolicyId="p-00000000")
    ask("policies", "list_policies", "sort(Policies[].Name)", Filter="SERVICE_CONTROL_POLICY")
    ask("attached", "attach_policy", PolicyId=made, TargetId=unit)
    ask("attached again", "attach_policy", PolicyId=made, TargetId=unit)
    ask("attached to nobody", "attach_policy", PolicyId=made, TargetId="999999999999")
    ask("what the unit has", "list_policies_for_target", "sort(Policies[].Name)", TargetId=unit, Filter="SERVICE_CONTROL_POLICY")
    ask("where it is attached", "list_targets_for_policy", "Targets[].{Id: TargetId, Name: Name, Type: Type}", PolicyId=made)
    ask("deleted while attached", "delete_policy", PolicyId=made)
    ask("the last policy of a unit", "detach_policy", PolicyId="p-FullAWSAccess", TargetId=inner)
    ask("detached", "detach_policy", PolicyId=made, TargetId=unit)
    ask("detached again", "detach_policy", PolicyId=made, TargetId=unit)
    ask("deleted", "delete_policy", PolicyId=made)
    ask("gone", "describe_policy", PolicyId=made)

    ask("a trusted service", "enable_aws_service_access", ServicePrincipal="access-analyzer.amazonaws.com")
    ask("trusted services", "list_aws_service_access_for_organization", "EnabledServicePrincipals[].ServicePrincipal")
    ask("trusted no more", "disable_aws_service_access", ServicePrincipal="access-analyzer.amazonaws.com")
    ask("none is trusted", "list_aws_service_access_for_organization", "EnabledServicePrincipals[].ServicePrincipal")


def wait_for(top, request):
    """A creation that has ended; how often one has to look is each endpoint's own."""
    for _ in range(20):
        status = top.ask("organizations", "describe_create_account_status", CreateAccountRequestId=request)
        if status["CreateAccountStatus"]["State"] != "IN_PROGRESS":
            return status["CreateAccountStatus"]
    raise SystemExit("the creation of an account does not end")


def sessions(top):
    account = named("member")
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    top.step("sts: who am I", "sts", "get_caller_identity", "Account")
    assumed = top.step("sts: a role of the member", "sts", "assume_role", "AssumedRoleUser.Arn", RoleArn=role, RoleSessionName="drive")
    top.step("sts: a role that is not there", "sts", "assume_role", "AssumedRoleUser.Arn", RoleArn=f"arn:aws:iam::{account}:role/nobody", RoleSessionName="drive")
    member = Driver(assumed["Credentials"])
    member.step("sts: who am I there", "sts", "get_caller_identity", "{Account: Account, Arn: Arn}")
    member.step("organizations: asked by a member", "organizations", "list_accounts", "length(Accounts) > `0`")
    return member


def iam(top, member):
    def ask(name, operation, pick="@", by=member, **parameters):
        return by.step(f"iam: {name}", "iam", operation, pick, **parameters)

    ask("no password policy", "get_account_password_policy")
    ask("a password policy", "update_account_password_policy", MinimumPasswordLength=14, RequireSymbols=True, RequireNumbers=True, MaxPasswordAge=90, PasswordReusePrevention=24)
    ask("the password policy", "get_account_password_policy", "PasswordPolicy")
    ask("one value is all values", "update_account_password_policy", RequireNumbers=True)
    ask("what is left of it", "get_account_password_policy", "PasswordPolicy")
    ask("too long a password", "update_account_password_policy", MinimumPasswordLength=129)
    ask("the management account's own", "get_account_password_policy", by=top)
    ask("deleted", "delete_account_password_policy")
    ask("deleted again", "delete_account_password_policy")
    ask("no alias", "list_account_aliases", "AccountAliases")
    ask("an alias", "create_account_alias", AccountAlias="acme-shop")
    ask("the alias", "list_account_aliases", "AccountAliases")
    ask("an alias that somebody has", "create_account_alias", by=top, AccountAlias="acme-shop")
    ask("an alias that is none", "create_account_alias", AccountAlias="Acme_Shop")
    ask("another's alias", "delete_account_alias", AccountAlias="acme-other")
    ask("the alias is gone", "delete_account_alias", AccountAlias="acme-shop")
    providers(member)
    ask("the root user", "get_account_summary", "SummaryMap.{Keys: AccountAccessKeysPresent, MFA: AccountMFAEnabled}")


def providers(member):
    def ask(name, operation, pick="@", **parameters):
        return member.step(f"iam: {name}", "iam", operation, pick, **parameters)

    root = f"arn:aws:iam::{named('member')}"
    issuer = {"OpenIDConnectProviderArn": f"{root}:oidc-provider/token.actions.githubusercontent.com"}
    made = {"Url": "https://token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com"]}
    ask("no issuer", "get_open_id_connect_provider", **issuer)
    ask("an issuer", "create_open_id_connect_provider", **made)
    ask("the issuer again", "create_open_id_connect_provider", **made)
    ask("an issuer without TLS", "create_open_id_connect_provider", Url="http://ci.example.com")
    ask("an audience", "add_client_id_to_open_id_connect_provider", ClientID="signer", **issuer)
    ask("the audience again", "add_client_id_to_open_id_connect_provider", ClientID="signer", **issuer)
    ask("the issuer", "get_open_id_connect_provider", "{Url: Url, For: sort(ClientIDList)}", **issuer)
    ask("an audience less", "remove_client_id_from_open_id_connect_provider", ClientID="sts.amazonaws.com", **issuer)
    ask("one that is none", "remove_client_id_from_open_id_connect_provider", ClientID="nobody", **issuer)
    ask("what is left of the issuer", "get_open_id_connect_provider", "ClientIDList", **issuer)
    ask("issuers", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn")
    ask("the issuer deleted", "delete_open_id_connect_provider", **issuer)
    ask("the issuer deleted again", "delete_open_id_connect_provider", **issuer)
    document = f"<EntityDescriptor entityID=\"https://idp.example.com\">{'x' * 1000}</EntityDescriptor>"
    saml = {"SAMLProviderArn": f"{root}:saml-provider/okta"}
    ask("no SAML provider", "get_saml_provider", **saml)
    ask("a SAML provider", "create_saml_provider", "SAMLProviderArn", Name="okta", SAMLMetadataDocument=document)
    ask("the SAML provider again", "create_saml_provider", "SAMLProviderArn", Name="okta", SAMLMetadataDocument=document)
    ask("metadata that is none", "update_saml_provider", SAMLMetadataDocument="y" * 1000, **saml)
    ask("other metadata", "update_saml_provider", "SAMLProviderArn", SAMLMetadataDocument=document.replace("xx", "yy"), **saml)
    ask("the SAML provider", "get_saml_provider", "SAMLMetadataDocument", **saml)
    ask("SAML providers", "list_saml_providers", "SAMLProviderList[].Arn")
    ask("the SAML provider deleted", "delete_saml_provider", **saml)
    ask("the SAML provider deleted again", "delete_saml_provider", **saml)


def account(top, member):
    def ask(name, operation, pick="@", by=member, **parameters):
        return by.step(f"account: {name}", "account", operation, pick, **parameters)

    contact = {"AlternateContactType": "SECURITY", "EmailAddress": "security@example.com", "Name": "Security", "PhoneNumber": "+49 30 1", "Title": "Team"}
    ask("no contact", "get_alternate_contact", AlternateContactType="SECURITY")
    ask("a contact", "put_alternate_contact", **contact)
    ask("the contact", "get_alternate_contact", "AlternateContact", AlternateContactType="SECURITY")
    ask("the contact, from above", "get_alternate_contact", "AlternateContact.Name", by=top, AccountId=named("member"), AlternateContactType="SECURITY")
    ask("a contact, from above", "put_alternate_contact", by=top, AccountId=named("member"), **{**contact, "AlternateContactType": "BILLING"})
    ask("it arrived", "get_alternate_contact", "AlternateContact.AlternateContactType", AlternateContactType="BILLING")
    ask("the management account has none", "get_alternate_contact", by=top, AlternateContactType="SECURITY")
    ask("deleted", "delete_alternate_contact", AlternateContactType="SECURITY")
    ask("deleted again", "delete_alternate_contact", AlternateContactType="SECURITY")
    ask("regions", "list_regions", "Regions[?RegionName == 'eu-central-1'].RegionOptStatus", pages=("Regions", 2))
    ask("a region", "get_region_opt_status", "RegionOptStatus", RegionName="eu-central-2")
    ask("a region on", "enable_region", RegionName="eu-central-2")
    ask("a region that is no region", "get_region_opt_status", RegionName="eu-nowhere-1")
    ask("its name", "get_account_information", "AccountId")


def s3control(top, member):
    def ask(name, operation, pick="@", by=member, **parameters):
        return by.step(f"s3control: {name}", "s3control", operation, pick, **parameters)

    id = named("member")
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    ask("no block", "get_public_access_block", AccountId=id)
    ask("a block", "put_public_access_block", AccountId=id, PublicAccessBlockConfiguration=block)
    ask("the block", "get_public_access_block", "PublicAccessBlockConfiguration", AccountId=id)
    ask("another account's", "get_public_access_block", by=top, AccountId=id)
    ask("deleted", "delete_public_access_block", AccountId=id)
    ask("gone", "get_public_access_block", AccountId=id)


def ec2(member):
    def ask(name, operation, pick="@", by=member, **parameters):
        return by.step(f"ec2: {name}", "ec2", operation, pick, **parameters)

    other = Driver(frozen(member), OTHER)
    ask("regions", "describe_regions", "Regions[?RegionName == 'eu-central-1'].OptInStatus")
    ask("encryption", "get_ebs_encryption_by_default", "EbsEncryptionByDefault")
    ask("encryption on", "enable_ebs_encryption_by_default", "EbsEncryptionByDefault")
    ask("encryption now", "get_ebs_encryption_by_default", "EbsEncryptionByDefault")
    ask("encryption elsewhere", "get_ebs_encryption_by_default", "EbsEncryptionByDefault", by=other)
    ask("encryption off", "disable_ebs_encryption_by_default", "EbsEncryptionByDefault")
    ask("snapshots", "get_snapshot_block_public_access_state", "State")
    ask("snapshots blocked", "enable_snapshot_block_public_access", "State", State="block-all-sharing")
    ask("images", "get_image_block_public_access_state", "ImageBlockPublicAccessState")
    ask("images blocked", "enable_image_block_public_access", "ImageBlockPublicAccessState", ImageBlockPublicAccessState="block-new-sharing")
    ask("metadata defaults", "get_instance_metadata_defaults", "AccountLevel")
    ask("metadata defaults set", "modify_instance_metadata_defaults", "Return", HttpTokens="required", HttpPutResponseHopLimit=2)
    ask("metadata defaults now", "get_instance_metadata_defaults", "AccountLevel.{Tokens: HttpTokens, Hops: HttpPutResponseHopLimit}")

    default = [{"Name": "is-default", "Values": ["true"]}]
    vpcs = ask("the default network", "describe_vpcs", "Vpcs[].{Default: IsDefault, Cidr: CidrBlock, State: State, Owner: OwnerId}", Filters=default)
    vpc = vpcs["Vpcs"][0]["VpcId"]
    of = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = ask("its subnets", "describe_subnets", "length(Subnets) >= `2` && Subnets[?DefaultForAz == `false`]", Filters=of)
    ask("its route table", "describe_route_tables", "RouteTables[].Associations[].Main", Filters=of)
    ask("its network ACL", "describe_network_acls", "NetworkAcls[].IsDefault", Filters=of)
    ask("nothing in it", "describe_network_interfaces", "NetworkInterfaces", Filters=of)
    gateways = ask("its gateway", "describe_internet_gateways", "InternetGateways[].Attachments[].State", Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
    groups = ask("its security group", "describe_security_groups", "SecurityGroups[].{Name: GroupName, In: IpPermissions[].IpProtocol, Out: IpPermissionsEgress[].IpRanges[].CidrIp}", Filters=of)
    group = groups["SecurityGroups"][0]["GroupId"]
    everywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ask("nothing out", "revoke_security_group_egress", "Return", GroupId=group, IpPermissions=everywhere)
    ask("nothing out again", "revoke_security_group_egress", "Return", GroupId=group, IpPermissions=everywhere)
    ask("nothing in", "revoke_security_group_ingress", "Return", GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
    ask("a closed group", "describe_security_groups", "SecurityGroups[].{In: IpPermissions, Out: IpPermissionsEgress}", GroupIds=[group])
    ask("no such group", "describe_security_groups", GroupIds=["sg-00000000000000000"])
    ask("a network in use", "delete_vpc", VpcId=vpc)
    ask("an attached gateway", "delete_internet_gateway", InternetGatewayId=first(gateways, "InternetGateways", "InternetGatewayId", "igw-00000000000000000"))
    for gateway in gateways["InternetGateways"]:
        id = gateway["InternetGatewayId"]
        member.ask("ec2", "detach_internet_gateway", InternetGatewayId=id, VpcId=vpc)
        member.ask("ec2", "delete_internet_gateway", InternetGatewayId=id)
    ask("no gateway left", "describe_internet_gateways", "InternetGateways", Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
    for subnet in subnets["Subnets"][1:]:
        member.ask("ec2", "delete_subnet", SubnetId=subnet["SubnetId"])
    last = subnets["Subnets"][0]["SubnetId"]
    ask("the last subnet", "delete_subnet", SubnetId=last)
    ask("the last subnet again", "delete_subnet", SubnetId=last)
    ask("an empty network", "delete_vpc", VpcId=vpc)
    ask("a network that is gone", "delete_vpc", VpcId=vpc)
    ask("no network", "describe_vpcs", "Vpcs", Filters=default)
    ask("a network by its id", "describe_vpcs", VpcIds=[vpc])
    ask("the network elsewhere", "describe_vpcs", "length(Vpcs)", by=other, Filters=default)


def frozen(driver):
    keys = driver.session.get_credentials().get_frozen_credentials()
    return {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key, "SessionToken": keys.token}


def first(answer, list_name, member, otherwise):
    return next((one[member] for one in answer[list_name]), otherwise)


def access_analyzer(member):
    def ask(name, operation, pick="@", **parameters):
        return member.step(f"access-analyzer: {name}", "accessanalyzer", operation, pick, **parameters)

    ask("none", "list_analyzers", "analyzers")
    ask("one", "create_analyzer", "arn", analyzerName="landfall", type="ACCOUNT")
    ask("the same", "create_analyzer", "arn", analyzerName="landfall", type="ACCOUNT")
    ask("it", "get_analyzer", "analyzer.{Name: name, Type: type, Status: status}", analyzerName="landfall")
    ask("all", "list_analyzers", "analyzers[].name", type="ACCOUNT")
    ask("deleted", "delete_analyzer", analyzerName="landfall")
    ask("gone", "get_analyzer", analyzerName="landfall")


def guardduty(member):
    def ask(name, operation, pick="@", **parameters):
        return member.step(f"guardduty: {name}", "guardduty", operation, pick, **parameters)

    def status(feature):
        return f"Features[?Name == '{feature}'].Status"

    ask("none", "list_detectors", "DetectorIds")
    off = [{"Name": "EKS_AUDIT_LOGS", "Status": "DISABLED"}]
    made = ask("one", "create_detector", "length(DetectorId)", Enable=True, Features=off)
    id = made["DetectorId"]
    NAMES[id] = "detector"
    ask("all", "list_detectors", "DetectorIds")
    ask("it", "get_detector", "{Status: Status, Frequency: FindingPublishingFrequency}", DetectorId=id)
    ask("what was not wanted", "get_detector", status("EKS_AUDIT_LOGS"), DetectorId=id)
    ask("what came with it", "get_detector", status("S3_DATA_EVENTS"), DetectorId=id)
    ask("another in the region", "create_detector", "length(DetectorId)", Enable=True)
    ask("a feature", "update_detector", DetectorId=id, Features=[{"Name": "EKS_AUDIT_LOGS", "Status": "ENABLED"}])
    ask("the feature", "get_detector", status("EKS_AUDIT_LOGS"), DetectorId=id)
    ask("suspended", "update_detector", DetectorId=id, Enable=False)
    ask("suspended now", "get_detector", "Status", DetectorId=id)
    ask("one of nobody", "get_detector", DetectorId="0" * 32)
    ask("deleted", "delete_detector", DetectorId=id)
    ask("gone", "get_detector", DetectorId=id)


def security_hub(member):
    def ask(name, operation, pick="@", **parameters):
        return member.step(f"securityhub: {name}", "securityhub", operation, pick, **parameters)

    def standard(name, region=HOME):
        return [{"StandardsArn": f"arn:aws:securityhub:{region}::standards/{name}"}]

    best, cis = "aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/3.0.0"
    enabled = "StandardsSubscriptions[].{Standard: StandardsArn, Status: StandardsStatus}"
    ask("no hub", "describe_hub")
    ask("no standards", "get_enabled_standards", enabled)
    ask("a standard without a hub", "batch_enable_standards", enabled, StandardsSubscriptionRequests=standard(best))
    ask("a hub", "enable_security_hub", EnableDefaultStandards=False)
    ask("another", "enable_security_hub", EnableDefaultStandards=False)
    ask("it", "describe_hub", "{Controls: AutoEnableControls, Findings: ControlFindingGenerator}")
    ask("none yet", "get_enabled_standards", enabled)
    ask("a standard", "batch_enable_standards", enabled, StandardsSubscriptionRequests=standard(best))
    ask("two", "batch_enable_standards", enabled, StandardsSubscriptionRequests=standard(best) + standard(cis))
    ask("one of another region", "batch_enable_standards", enabled, StandardsSubscriptionRequests=standard(cis, OTHER))
    ask("both", "get_enabled_standards", enabled, MaxResults=100)
    ask("off", "disable_security_hub")
    ask("off again", "disable_security_hub")


def cloudtrail(top, member):
    def ask(name, operation, pick="@", by=top, **parameters):
        return by.step(f"cloudtrail: {name}", "cloudtrail", operation, pick, **parameters)

    other = Driver(region=OTHER)
    settings = "{Name: Name, Bucket: S3BucketName, Everywhere: IsMultiRegionTrail, Organization: IsOrganizationTrail, Validation: LogFileValidationEnabled}"
    trail = {"Name": "audit", "S3BucketName": "acme-audit", "IsMultiRegionTrail": True, "EnableLogFileValidation": True}
    ask("none", "describe_trails", "trailList")
    ask("no trusted access", "create_trail", settings, **trail, IsOrganizationTrail=True)
    top.ask("organizations", "enable_aws_service_access", ServicePrincipal="cloudtrail.amazonaws.com")
    ask("a member's for all", "create_trail", settings, by=member, **{**trail, "S3BucketName": "acme-member"}, IsOrganizationTrail=True)
    made = ask("one of the organization", "create_trail", settings, **trail, IsOrganizationTrail=True)
    arn = made["TrailARN"]
    ask("its name again", "create_trail", settings, **trail, IsOrganizationTrail=True)
    ask("a name that is none", "create_trail", **{**trail, "Name": "no audit"})
    ask("everywhere without global services", "create_trail", **{**trail, "Name": "regional"}, IncludeGlobalServiceEvents=False)
    ask("not started", "get_trail_status", "IsLogging", Name="audit")
    ask("started", "start_logging", Name=arn)
    ask("started again", "start_logging", Name="audit")
    ask("it logs", "get_trail_status", "IsLogging", Name=arn)
    ask("all", "describe_trails", "trailList[].{Home: HomeRegion, Arn: TrailARN}")
    ask("all elsewhere", "describe_trails", "trailList[].{Home: HomeRegion, Name: Name}", by=other)
    ask("without shadows", "describe_trails", "trailList", by=other, includeShadowTrails=False)
    ask("in a member", "describe_trails", "trailList[].{Home: HomeRegion, Organization: IsOrganizationTrail}", by=member)
    ask("it logs in a member", "get_trail_status", "IsLogging", by=member, Name=arn)
    ask("its name in a member", "get_trail_status", by=member, Name="audit")
    ask("a member's change", "stop_logging", by=member, Name=arn)
    ask("a change from elsewhere", "update_trail", settings, by=other, Name=arn, S3BucketName="acme-audit")
    ask("changed", "update_trail", settings, Name=arn, EnableLogFileValidation=False)
    ask("stopped", "stop_logging", Name=arn)
    ask("it does not log", "get_trail_status", "IsLogging", Name="audit")
    ask("one of nobody", "get_trail_status", Name="nobody")
    ask("deleted", "delete_trail", Name="audit")
    ask("gone", "get_trail_status", Name="audit")


def config(member):
    def ask(name, operation, pick="@", **parameters):
        return member.step(f"config: {name}", "config", operation, pick, **parameters)

    role = f"arn:aws:iam::{named('member')}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    recorder = {"name": "landfall", "roleARN": role, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}
    channel = {"name": "landfall", "s3BucketName": "acme-config"}
    recorders = "ConfigurationRecorders[].{Name: name, Role: roleARN, Everything: recordingGroup.allSupported, Global: recordingGroup.includeGlobalResourceTypes, By: recordingGroup.recordingStrategy.useOnly}"
    channels = "DeliveryChannels[].{Name: name, Bucket: s3BucketName, Topic: snsTopicARN}"
    recording = "ConfigurationRecordersStatus[].recording"
    ask("none", "describe_configuration_recorders", recorders)
    ask("one of nobody", "describe_configuration_recorders", recorders, ConfigurationRecorderNames=["nobody"])
    ask("a channel without a recorder", "put_delivery_channel", DeliveryChannel={**channel, "name": "other"})
    ask("its role is missing", "put_configuration_recorder", ConfigurationRecorder=recorder)
    member.step("iam: a role of AWS Config", "iam", "create_service_linked_role", "Role.{Name: RoleName, Arn: Arn}", AWSServiceName="config.amazonaws.com")
    member.step("iam: the role again", "iam", "create_service_linked_role", "Role.RoleName", AWSServiceName="config.amazonaws.com")
    ask("one", "put_configuration_recorder", ConfigurationRecorder=recorder)
    ask("another", "put_configuration_recorder", ConfigurationRecorder={**recorder, "name": "other"})
    some = {"allSupported": True, "resourceTypes": ["AWS::EC2::VPC"]}
    ask("everything and some", "put_configuration_recorder", ConfigurationRecorder={**recorder, "recordingGroup": some})
    ask("it", "describe_configuration_recorders", recorders)
    ask("started without a channel", "start_configuration_recorder", ConfigurationRecorderName="landfall")
    ask("no channels", "describe_delivery_channels", channels)
    ask("a channel to nowhere", "put_delivery_channel", DeliveryChannel={**channel, "s3BucketName": ""})
    ask("a channel", "put_delivery_channel", DeliveryChannel=channel)
    ask("another channel", "put_delivery_channel", DeliveryChannel={**channel, "name": "other"})
    ask("the channel", "describe_delivery_channels", channels)
    ask("it stands still", "describe_configuration_recorder_status", recording)
    ask("started", "start_configuration_recorder", ConfigurationRecorderName="landfall")
    ask("started again", "start_configuration_recorder", ConfigurationRecorderName="landfall")
    ask("it records", "describe_configuration_recorder_status", recording, ConfigurationRecorderNames=["landfall"])
    ask("a channel in use", "delete_delivery_channel", DeliveryChannelName="landfall")
    ask("fewer", "put_configuration_recorder", ConfigurationRecorder={**recorder, "recordingGroup": {"resourceTypes": ["AWS::EC2::VPC"]}})
    ask("fewer now, and it goes on", "describe_configuration_recorder_status", recording)
    ask("what is left", "describe_configuration_recorders", recorders)
    ask("stopped", "stop_configuration_recorder", ConfigurationRecorderName="landfall")
    ask("it does not record", "describe_configuration_recorder_status", recording)
    ask("the channel goes", "delete_delivery_channel", DeliveryChannelName="landfall")
    ask("deleted", "delete_configuration_recorder", ConfigurationRecorderName="landfall")
    ask("gone", "describe_configuration_recorder_status", recording, ConfigurationRecorderNames=["landfall"])


def budgets(member):
    id = named("member")

    def ask(name, operation, pick="@", **parameters):
        return member.step(f"budgets: {name}", "budgets", operation, pick, AccountId=id, **parameters)

    budget = {"BudgetName": "landfall", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": "2000", "Unit": "USD"}}
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0, "ThresholdType": "PERCENTAGE"}
    subscriber = {"SubscriptionType": "EMAIL", "Address": "ops@example.com"}
    ask("none", "describe_budgets", "Budgets || `[]`")
    ask("one", "create_budget", Budget=budget, NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": [subscriber]}])
    ask("the same", "create_budget", Budget=budget)
    ask("it", "describe_budget", "Budget.{Name: BudgetName, Type: BudgetType, Unit: TimeUnit, Limit: BudgetLimit}", BudgetName="landfall")
    ask("who hears", "describe_notifications_for_budget", "Notifications[].{Type: NotificationType, At: Threshold}", BudgetName="landfall")
    ask("where to", "describe_subscribers_for_notification", "Subscribers", BudgetName="landfall", Notification=notification)
    ask("another limit", "update_budget", NewBudget={**budget, "BudgetLimit": {"Amount": "3000", "Unit": "USD"}})
    ask("deleted", "delete_budget", BudgetName="landfall")
    ask("deleted again", "delete_budget", BudgetName="landfall")
    ask("gone", "describe_budget", BudgetName="landfall")


def identity(top):
    found = top.step("sso-admin: instances", "sso-admin", "list_instances", "length(Instances)")
    if not found or not found["Instances"]:
        return
    instance, store = found["Instances"][0]["InstanceArn"], found["Instances"][0]["IdentityStoreId"]
    NAMES[store] = "identity store"

    def ask(name, operation, pick="@", **parameters):
        return top.step(f"sso-admin: {name}", "sso-admin", operation, pick, InstanceArn=instance, **parameters)

    def look(name, operation, pick="@", **parameters):
        return top.step(f"identitystore: {name}", "identitystore", operation, pick, IdentityStoreId=store, **parameters)

    group = look("a group", "create_group", "GroupId", DisplayName="payments-dev")["GroupId"]
    look("its name again", "create_group", DisplayName="payments-dev")
    by_name = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "payments-dev"}}
    look("the group by name", "get_group_id", "GroupId", AlternateIdentifier=by_name)
    nobody = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "nobody"}}
    look("no group by name", "get_group_id", "GroupId", AlternateIdentifier=nobody)
    look("the group", "describe_group", "DisplayName", GroupId=group)
    look("no group", "describe_group", GroupId="00000000-0000-4000-8000-000000000000")
    look("groups", "list_groups", "Groups[].DisplayName", Filters=[{"AttributePath": "DisplayName", "AttributeValue": "payments-dev"}])

    made = ask("a permission set", "create_permission_set", "PermissionSet.{Name: Name, Session: SessionDuration}", Name="developer", SessionDuration="PT8H", Tags=[{"Key": "landfall", "Value": "acme"}])
    set_arn = made["PermissionSet"]["PermissionSetArn"]
    ask("its name again", "create_permission_set", "PermissionSet.Name", Name="developer", SessionDuration="PT8H")
    ask("permission sets", "list_permission_sets", "length(PermissionSets)")
    ask("it", "describe_permission_set", "PermissionSet.{Name: Name, Session: SessionDuration}", PermissionSetArn=set_arn)
    ask("none", "describe_permission_set", PermissionSetArn=set_arn[:-4] + "0000")
    ask("its tags", "list_tags_for_resource", "Tags", ResourceArn=set_arn)
    power = "arn:aws:iam::aws:policy/PowerUserAccess"
    ask("a managed policy", "attach_managed_policy_to_permission_set", PermissionSetArn=set_arn, ManagedPolicyArn=power)
    ask("the same policy", "attach_managed_policy_to_permission_set", PermissionSetArn=set_arn, ManagedPolicyArn=power)
    ask("its policies", "list_managed_policies_in_permission_set", "AttachedManagedPolicies", PermissionSetArn=set_arn)
    ask("an inline policy", "put_inline_policy_to_permission_set", PermissionSetArn=set_arn, InlinePolicy=json.dumps(DENY))
    ask("the inline policy", "get_inline_policy_for_permission_set", "InlinePolicy", PermissionSetArn=set_arn)
    ask("no inline policy", "delete_inline_policy_from_permission_set", PermissionSetArn=set_arn)
    ask("a longer session", "update_permission_set", PermissionSetArn=set_arn, SessionDuration="PT12H")
    assignment = {"PermissionSetArn": set_arn, "TargetId": named("member"), "TargetType": "AWS_ACCOUNT", "PrincipalType": "GROUP", "PrincipalId": group}
    status = ask("an assignment", "create_account_assignment", "AccountAssignmentCreationStatus.{Target: TargetId, Type: TargetType}", **assignment)
    request = status["AccountAssignmentCreationStatus"]["RequestId"]
    for _ in range(20):
        state = top.ask("sso-admin", "describe_account_assignment_creation_status", InstanceArn=instance, AccountAssignmentCreationRequestId=request)
        if state["AccountAssignmentCreationStatus"]["Status"] != "IN_PROGRESS":
            break
    ask("how it went", "describe_account_assignment_creation_status", "AccountAssignmentCreationStatus.Status", AccountAssignmentCreationRequestId=request)
    ask("assignments", "list_account_assignments", "AccountAssignments[].{Account: AccountId, Type: PrincipalType}", AccountId=named("member"), PermissionSetArn=set_arn)
    ask("an assignment to no account", "create_account_assignment", "AccountAssignmentCreationStatus.TargetId", **{**assignment, "TargetId": "999999999999"})
    ask("no assignment", "delete_account_assignment", "AccountAssignmentDeletionStatus.TargetId", **assignment)


def sqs(top):
    def ask(name, operation, pick="@", **parameters):
        return top.step(f"sqs: {name}", "sqs", operation, pick, **parameters)

    ask("no queue", "get_queue_url", QueueName="landfall-work")
    dead = top.ask("sqs", "create_queue", QueueName="landfall-dead")["QueueUrl"]
    arn = top.ask("sqs", "get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
    url = ask("a queue", "create_queue", "QueueUrl", QueueName="landfall-work", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": redrive})["QueueUrl"]
    ask("the same queue", "create_queue", "QueueUrl", QueueName="landfall-work", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": redrive})
    ask("the queue", "get_queue_url", "QueueUrl", QueueName="landfall-work")
    ask("queues", "list_queues", "sort(QueueUrls)", QueueNamePrefix="landfall-")
    ask("a message", "send_message", "MD5OfMessageBody", QueueUrl=url, MessageBody="one")
    ask("messages waiting", "get_queue_attributes", "Attributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "VisibilityTimeout"])
    taken = ask("received", "receive_message", "Messages[].{Body: Body, Count: Attributes.ApproximateReceiveCount, MD5: MD5OfBody}", QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"])
    ask("nothing more", "receive_message", "Messages", QueueUrl=url)
    receipt = taken["Messages"][0]["ReceiptHandle"]
    ask("given back", "change_message_visibility", QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
    ask("received again", "receive_message", "Messages[].Body", QueueUrl=url, VisibilityTimeout=0)
    ask("a third time it is set aside", "receive_message", "Messages", QueueUrl=url)
    moved = ask("where it lies", "receive_message", "Messages[].Body", QueueUrl=dead)
    for message in (moved or {}).get("Messages", []):
        ask("done", "delete_message", QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    entries = [{"Id": str(n), "MessageBody": f"body {n}"} for n in range(3)]
    ask("three messages", "send_message_batch", "{Good: sort(Successful[].Id), Bad: Failed}", QueueUrl=url, Entries=entries)
    ask("two of one name", "send_message_batch", QueueUrl=url, Entries=[entries[0], entries[0]])
    ask("no messages", "send_message_batch", QueueUrl=url, Entries=[])
    taken = ask("three received", "receive_message", "sort(Messages[].Body)", QueueUrl=url, MaxNumberOfMessages=10)
    done = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(taken["Messages"])]
    ask("three done", "delete_message_batch", "{Good: length(Successful), Bad: Failed}", QueueUrl=url, Entries=done)
    ask("too much at once", "receive_message", QueueUrl=url, MaxNumberOfMessages=11)
    ask("too late", "send_message", QueueUrl=url, MessageBody="late", DelaySeconds=901)
    ask("a delayed message", "send_message", "MD5OfMessageBody", QueueUrl=url, MessageBody="later", DelaySeconds=600)
    ask("it is not there yet", "receive_message", "Messages", QueueUrl=url)
    ask("emptied", "purge_queue", QueueUrl=url)
    ask("deleted", "delete_queue", QueueUrl=url)
    ask("gone", "send_message", QueueUrl=url, MessageBody="one")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith("http://127.0.0.1:"):
        sys.exit(__doc__)
    URL = sys.argv[1].rstrip("/")
    # An answer of HTML is expected of moto, and would be logged.
    logging.disable(logging.CRITICAL)
    resolve_loopback()
    main()
