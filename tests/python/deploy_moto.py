"""Deploys the templates of infra/aws into moto's CloudFormation with the official client, and says what came of it as JSON.

Arguments: the endpoint, then one of
  launch FOLDER KEYS [--package ZIP] [PARAMETER=VALUE]…
                       the templates of that folder: controller.yaml in eu-central-1 with those parameters besides, management.yaml in
                       us-east-1, and the stack set that it declares, all in the management account; bundles are signed by KEYS; the
                       function is that package, or an empty archive where only resources are looked at
  spread               the stack set once more, as automatic deployment does for a new account
  event FILE           puts an event of Organizations on the default bus of us-east-1
  put BUCKET KEY FILE  puts a file into a bucket
  documents            the deployed roles with their trust and what they are allowed
  look ACCOUNT         what of the baseline an account's own services say, to its own people

moto's CloudFormation makes no resource of a type that it does not know, and says nothing. So every declared resource is looked for by the
API of its own service: `made` names those that are there, `missing` those that are not.
"""

import json
import os
import sys
from ast import literal_eval

from cfnlint.decode import decode

from prepare_moto import client, inside

HOME, EVENTS = "eu-central-1", "us-east-1"
PACKAGES = "acme-packages"
CONTROLLER, MANAGEMENT = "landfall", "landfall-management"
EXTERNAL_ID = "acme-landfall"


def template(folder, name):
    read, broken = decode(os.path.join(folder, name))
    if broken:
        raise SystemExit(f"{name} can't be read: {broken}")
    return read


# How a resource of each type is found by its service: (client, physical id) -> raises where there is none. What CloudFormation calls a
# bus is known by its name, which moto's stack does not tell.
LOOK = {
    # By the lists: moto can't describe a key whose policy came from a template.
    "AWS::KMS::Key": ("kms", lambda kms, id: only([key for key in kms.list_keys()["Keys"] if key["KeyId"] == id])),
    "AWS::KMS::Alias": ("kms", lambda kms, id: only([one for one in kms.list_aliases()["Aliases"] if one["AliasName"] == id])),
    "AWS::S3::Bucket": ("s3", lambda s3, id: s3.head_bucket(Bucket=id)),
    "AWS::Events::EventBus": ("events", lambda events, id: events.describe_event_bus(Name=id or CONTROLLER)),
    "AWS::SQS::Queue": ("sqs", lambda sqs, id: sqs.get_queue_attributes(QueueUrl=id, AttributeNames=["QueueArn"])),
    "AWS::IAM::Role": ("iam", lambda iam, id: iam.get_role(RoleName=id)),
    "AWS::IAM::ManagedPolicy": ("iam", lambda iam, id: iam.get_policy(PolicyArn=id)),
    "AWS::Lambda::Function": ("lambda", lambda functions, id: functions.get_function(FunctionName=id)),
    "AWS::Lambda::EventSourceMapping": ("lambda", lambda functions, id: functions.get_event_source_mapping(UUID=id)),
    "AWS::SNS::Topic": ("sns", lambda sns, id: sns.get_topic_attributes(TopicArn=id)),
    "AWS::CloudFormation::Stack": ("cloudformation", lambda stacks, id: stacks.describe_stacks(StackName=id)),
    "AWS::Logs::LogGroup": ("logs", lambda logs, id: only(logs.describe_log_groups(logGroupNamePrefix=id)["logGroups"])),
    # A rule without a target would be there and do nothing.
    "AWS::Events::Rule": ("events", lambda events, id: rule(events, id)),
}


def only(found):
    if len(found) != 1:
        raise LookupError(f"{len(found)} of them")


def rule(events, name):
    for bus in events.list_event_buses()["EventBuses"]:
        if any(found["Name"] == name for found in events.list_rules(EventBusName=bus["Name"])["Rules"]):
            return only(events.list_targets_by_rule(Rule=name, EventBusName=bus["Name"])["Targets"])
    raise LookupError("no bus has it")


def conditions(read, parameters):
    """Which of a template's conditions hold: the only forms used here are that a parameter is, or is not, a text."""

    def holds(condition):
        (form, arguments), = condition.items()
        if form == "Fn::Not":
            return not holds(arguments[0])
        if form == "Fn::Equals":
            left, right = (parameters[side["Ref"]] if isinstance(side, dict) else side for side in arguments)
            return left == right
        raise SystemExit(f"the condition {form} is not known here")

    return {name for name, condition in read.get("Conditions", {}).items() if holds(condition)}


def census(url, region, stack, read, parameters, **credentials):
    """Looks for each declared resource."""
    summaries = client("cloudformation", url, region, **credentials).list_stack_resources(StackName=stack)
    physical = {
        found["LogicalResourceId"]: found.get("PhysicalResourceId", "")
        for found in summaries["StackResourceSummaries"]
        if found.get("LogicalResourceId")
    }
    held = conditions(read, parameters)
    made, missing = [], []
    for name, resource in read["Resources"].items():
        if "Condition" in resource and resource["Condition"] not in held:
            continue
        one = {"stack": stack, "resource": name, "type": resource["Type"]}
        try:
            if name not in physical:
                raise LookupError("the stack does not have it")
            service, look = LOOK[resource["Type"]]
            look(client(service, url, region, **credentials), physical[name])
            made.append(one)
        except Exception as error:  # whatever the service says of it
            missing.append({**one, "why": str(error).splitlines()[0]})
    return physical, made, missing


def launch(url, folder, keys, *chosen):
    account = client("sts", url).get_caller_identity()["Account"]
    organizations = client("organizations", url)
    organization = organizations.describe_organization()["Organization"]["Id"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    packages = client("s3", url, HOME)
    packages.create_bucket(Bucket=PACKAGES, CreateBucketConfiguration={"LocationConstraint": HOME})
    archive = b"PK\x05\x06" + bytes(18)
    if chosen[:1] == ("--package",):
        with open(chosen[1], "rb") as package:
            archive = package.read()
        chosen = chosen[2:]
    packages.put_object(Bucket=PACKAGES, Key="landfall-aws.zip", Body=archive)
    packages.upload_file(os.path.join(folder, "member.yaml"), PACKAGES, "member.yaml")

    read = {name: template(folder, f"{name}.yaml") for name in ("controller", "management", "member")}
    made, missing = [], []

    def stack(name, region, of, **parameters):
        stacks = client("cloudformation", url, region)
        with open(os.path.join(folder, f"{of}.yaml"), encoding="utf-8") as body:
            stacks.create_stack(
                StackName=name,
                TemplateBody=body.read(),
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        found = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if found["StackStatus"] != "CREATE_COMPLETE":
            raise SystemExit(f"{name}: {found['StackStatus']}")
        given = {key: value.get("Default") for key, value in read[of]["Parameters"].items()} | parameters
        counted(name, region, of, given)
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}, given

    def counted(name, region, of, given, **credentials):
        physical, there, gone = census(url, region, name, read[of], given, **credentials)
        made.extend(there)
        missing.extend(gone)
        return physical

    outputs, _ = stack(
        CONTROLLER, HOME, "controller",
        PackageBucket=PACKAGES, OrganizationId=organization, ManagementAccount=account, PublicKeys=keys,
        ObjectLock="governance", AlarmEmail="security@acme.example", **dict(one.split("=", 1) for one in chosen),
    )
    _, given = stack(
        MANAGEMENT, EVENTS, "management",
        BusArn=outputs["BusArn"], ControllerAccount=account, OrganizationId=organization, OrganizationalUnits=root,
        ExternalId=EXTERNAL_ID, AlarmEmail="security@acme.example",
        MemberTemplateUrl=f"https://{PACKAGES}.s3.{HOME}.amazonaws.com/member.yaml",
    )

    # moto's CloudFormation makes no stack set from a template, its StackSets do: with what the template declares.
    declared = read["management"]["Resources"]["MemberRoles"]["Properties"]
    parameters = {one["ParameterKey"]: given_to(one["ParameterValue"], given) for one in declared["Parameters"]}
    with open(os.path.join(folder, "member.yaml"), encoding="utf-8") as body:
        client("cloudformation", url, EVENTS).create_stack_set(
            StackSetName=f"{MANAGEMENT}-member-roles",
            TemplateBody=body.read(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            # Self-managed here: moto's service-managed ones reach the management account too, which AWS's never do.
            PermissionModel="SELF_MANAGED",
            Capabilities=declared["Capabilities"],
        )
    spread(url)
    for stack_name in nested(url):
        counted(stack_name, EVENTS, "member", {**parameters, "InManagementAccount": "yes"})
    members = {}
    for instance in instances(url):
        held = inside(url, instance["Account"])
        stacks = client("cloudformation", url, EVENTS, **held).list_stacks()["StackSummaries"]
        names = [found["StackName"] for found in stacks if found["StackName"].startswith("StackSet:")]
        for stack_name in names:
            counted(stack_name, EVENTS, "member", parameters, **held)
        members[instance["Account"]] = len(names)

    functions = client("lambda", url, HOME)
    function = functions.get_function_configuration(FunctionName=outputs["FunctionName"])
    # moto would look for Docker to run the code in; the test hands the messages over itself.
    for mapping in functions.list_event_source_mappings(FunctionName=outputs["FunctionName"])["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    schedule = read["controller"]["Resources"]["Schedule"]["Properties"]["Target"]["Input"]
    heartbeat = read["controller"]["Resources"]["SweepClosed"]["Properties"]["FilterPattern"]
    return {
        "outputs": outputs,
        "environment": function["Environment"]["Variables"],
        "code": {"size": function["CodeSize"], "runtime": function["Runtime"], "architectures": function["Architectures"]},
        "schedule": schedule,
        "heartbeat": heartbeat,
        "made": made,
        "missing": missing,
        "members": members,
    }


def given_to(value, given):
    return given[value["Ref"]] if isinstance(value, dict) else value


def nested(url):
    stacks = client("cloudformation", url, EVENTS).list_stacks()["StackSummaries"]
    return [found["StackName"] for found in stacks if found["StackName"].startswith(f"{MANAGEMENT}-ManagementRoles")]


def instances(url):
    return client("cloudformation", url, EVENTS).list_stack_instances(StackSetName=f"{MANAGEMENT}-member-roles")["Summaries"]


def spread(url):
    organizations = client("organizations", url)
    management = organizations.describe_organization()["Organization"]["MasterAccountId"]
    members = [account["Id"] for account in organizations.list_accounts()["Accounts"] if account["Id"] != management]
    client("cloudformation", url, EVENTS).create_stack_instances(
        StackSetName=f"{MANAGEMENT}-member-roles", Accounts=members, Regions=[EVENTS]
    )
    return {"accounts": sorted(instance["Account"] for instance in instances(url))}


def event(url, path):
    with open(path, encoding="utf-8") as file:
        said = json.load(file)
    answer = client("events", url, EVENTS).put_events(
        Entries=[{"Source": said["source"], "DetailType": said["detail-type"], "Detail": json.dumps(said["detail"])}]
    )
    return {"failed": answer["FailedEntryCount"]}


def put(url, bucket, key, path):
    client("s3", url, HOME).upload_file(path, bucket, key)
    return {"put": key}


def documents(url):
    """What roles are trusted with, as deployed: every reference is written out by then."""
    iam, found = client("iam", url), {}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        allowed = [
            # moto keeps what a template says as Python writes it, not as JSON.
            literal_eval(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            held = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]
            allowed.append(held["Document"])
        found[name] = {"arn": role["Arn"], "trust": role["AssumeRolePolicyDocument"], "allowed": allowed}
    return found


def look(url, account):
    held = inside(url, account)
    iam = client("iam", url, **held)
    try:
        length = iam.get_account_password_policy()["PasswordPolicy"].get("MinimumPasswordLength")
    except iam.exceptions.NoSuchEntityException:
        length = None
    volumes = client("ec2", url, "eu-west-1", **held).get_ebs_encryption_by_default()
    return {"password length": length, "volumes encrypted": volumes["EbsEncryptionByDefault"]}


def main():
    url, what, *rest = sys.argv[1:]
    verbs = {"launch": launch, "spread": spread, "event": event, "put": put, "documents": documents, "look": look}
    json.dump(verbs[what](url, *rest), sys.stdout)


if __name__ == "__main__":
    main()
