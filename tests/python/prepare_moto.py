"""Makes the organization of the spine's scenario in moto, with the official client, and prints what came of it as JSON.

Arguments: the endpoint, then either `organization` or `create NAME` or `break ACCOUNT` or `contract-queue` or
`bucket NAME` or `put KEY FILE` or `roles READ WRITE EXTERNAL-ID` or `user` or `judge yes|no`.
"""

import json
import sys

import boto3
import requests

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def client(service, url, region="us-east-1", **credentials):
    return boto3.client(service, endpoint_url=url, region_name=region, **(credentials or CREDENTIALS))


def organization(url):
    organizations = client("organizations", url)
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]
    accounts = [create(url, name)["account"] for name in ("team-one", "team-two")]
    instance = client("sso-admin", url, "eu-central-1").list_instances()["Instances"][0]
    client("identitystore", url, "eu-central-1").create_group(
        IdentityStoreId=instance["IdentityStoreId"], DisplayName="payments-dev"
    )
    bucket(url, "acme-landfall")
    # Where the organization's trail writes to.
    bucket(url, "acme-audit")
    queue = client("sqs", url, "eu-central-1").create_queue(QueueName="landfall-work")["QueueUrl"]
    return {
        "organization": made["Id"],
        "management": made["MasterAccountId"],
        "accounts": accounts,
        "queue": queue,
    }


def create(url, name):
    organizations = client("organizations", url)
    status = organizations.create_account(AccountName=name, Email=f"{name}@acme.example")["CreateAccountStatus"]
    return {"account": status["AccountId"]}


def inside(url, account):
    """Credentials in a member account, as its own people have them."""
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    held = client("sts", url).assume_role(RoleArn=role, RoleSessionName="hand")["Credentials"]
    return {
        "aws_access_key_id": held["AccessKeyId"],
        "aws_secret_access_key": held["SecretAccessKey"],
        "aws_session_token": held["SessionToken"],
    }


def disturb(url, account):
    held = inside(url, account)
    client("iam", url, **held).delete_account_password_policy()
    client("ec2", url, "eu-west-1", **held).disable_ebs_encryption_by_default()
    client("account", url, **held).delete_alternate_contact(AlternateContactType="SECURITY")
    return {"disturbed": ["password-policy", "encrypt-by-default", "security-contacts"]}


def contract_queue(url):
    """A queue whose times are short enough for the contract suite, with a dead-letter queue."""
    sqs = client("sqs", url, "eu-central-1")
    dead = sqs.create_queue(QueueName="contract-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    attributes = {"VisibilityTimeout": "2", "RedrivePolicy": redrive}
    return {"queue": sqs.create_queue(QueueName="contract", Attributes=attributes)["QueueUrl"]}


def bucket(url, name):
    place = {"LocationConstraint": "eu-central-1"}
    client("s3", url, "eu-central-1").create_bucket(Bucket=name, CreateBucketConfiguration=place)
    return {"bucket": name}


def put(url, key, path):
    """Puts a file into the bucket."""
    with open(path, "rb") as body:
        client("s3", url, "eu-central-1").put_object(Bucket="acme-landfall", Key=key, Body=body)
    return {"put": key}


def roles(url, read, write, external_id):
    """In every account the two roles with the documents given."""
    organizations = client("organizations", url)
    master = organizations.describe_organization()["Organization"]["MasterAccountId"]
    user = f"arn:aws:iam::{master}:user/landfall-function"
    trust = statement("sts:AssumeRole", Principal={"AWS": user}, Condition={"StringEquals": {"sts:ExternalId": external_id}})
    for account in organizations.list_accounts()["Accounts"]:
        held = {} if account["Id"] == master else inside(url, account["Id"])
        iam = client("iam", url, **held)
        for name, path in (("landfall-read", read), ("landfall-write", write)):
            try:
                iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            except iam.exceptions.EntityAlreadyExistsException:
                pass
            with open(path) as document:
                iam.put_role_policy(RoleName=name, PolicyName="landfall", PolicyDocument=document.read())
    return {"roles": ["landfall-read", "landfall-write"]}


def user(url):
    """In the management account a user who may become the roles and reach store and queue, as the function's own identity may: its key."""
    iam = client("iam", url)
    iam.create_user(UserName="landfall-function")
    own = statement(["sts:AssumeRole", "s3:*", "sqs:*"], Resource="*")
    iam.put_user_policy(UserName="landfall-function", PolicyName="landfall", PolicyDocument=own)
    key = iam.create_access_key(UserName="landfall-function")["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def statement(action, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


def judge(url, wanted):
    """Has moto look at every signature and every permission from now on, or at none
    (https://docs.getmoto.org/en/latest/docs/iam.html)."""
    requests.post(f"{url}/moto-api/reset-auth", data="0" if wanted == "yes" else "inf", timeout=60).raise_for_status()
    return {"judged": wanted}


def main():
    url, what, *rest = sys.argv[1:]
    made = {"organization": organization, "create": create, "break": disturb, "contract-queue": contract_queue, "bucket": bucket, "put": put, "roles": roles, "user": user, "judge": judge}[what](url, *rest)
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
