use serde_json::{Value, json};

use crate::client::{Client, MEMBER, simulator};

#[test]
fn accounts_do_not_share_settings() {
    let simulator = simulator(3);
    let controller = Client::new(&simulator);
    let one = controller.assume(MEMBER, "landfall-write");
    let other = controller.assume("222222222223", "landfall-write");
    assert_eq!(one.iam("GetAccountPasswordPolicy", "").status, 200);
    let absent = other.iam("GetAccountPasswordPolicy", "");
    assert_eq!((absent.status, absent.code().as_str()), (404, "NoSuchEntity"));
    assert_eq!(other.iam("UpdateAccountPasswordPolicy", "MinimumPasswordLength=20").status, 200);
    let policy = other.iam("GetAccountPasswordPolicy", "");
    assert_eq!(policy.between("<MinimumPasswordLength>", "<"), "20");
    assert_eq!(
        policy.between("<RequireNumbers>", "<"),
        "false",
        "what is not sent falls back to the default"
    );
    assert_eq!(one.iam("GetAccountPasswordPolicy", "").between("<MinimumPasswordLength>", "<"), "14");
    assert_eq!(one.iam("CreateAccountAlias", "AccountAlias=acme-prod").status, 200);
    let taken = other.iam("CreateAccountAlias", "AccountAlias=acme-prod");
    assert_eq!((taken.status, taken.code().as_str()), (409, "EntityAlreadyExists"));
}

#[test]
fn regions_do_not_share_settings() {
    let simulator = simulator(0);
    let id = simulator.edit(|world| world.create_account("fresh"));
    let client = Client::new(&simulator).assume(&id, "landfall-write");
    let encrypted =
        |region| client.query("ec2", region, "GetEbsEncryptionByDefault", "").between("Default>", "<");
    assert_eq!(client.query("ec2", "eu-west-1", "EnableEbsEncryptionByDefault", "").status, 200);
    assert_eq!((encrypted("eu-west-1").as_str(), encrypted("us-east-1").as_str()), ("true", "false"));
    let off = client.query("ec2", "me-central-1", "DescribeVpcs", "");
    assert_eq!((off.status, off.code().as_str()), (401, "AuthFailure"));
}

#[test]
fn a_public_access_block_is_for_its_own_account_only() {
    let simulator = simulator(4);
    let client = Client::new(&simulator).assume("222222222225", "landfall-write");
    let ask = |method: &str, account: &str, body: &str| {
        let path = "/v20180820/configuration/publicAccessBlock";
        client
            .send(method, path, "s3", "us-east-1", &format!("x-amz-account-id: {account}\r\n"), body)
            .unwrap()
    };
    let absent = ask("GET", "222222222225", "");
    assert_eq!((absent.status, absent.code().as_str()), (404, "NoSuchPublicAccessBlockConfiguration"));
    assert_eq!(ask("GET", MEMBER, "").code(), "AccessDenied");
    let body = "<PublicAccessBlockConfiguration xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\">\
                <BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    assert_eq!(ask("PUT", "222222222225", body).status, 200);
    let block = ask("GET", "222222222225", "");
    assert_eq!(block.between("<BlockPublicAcls>", "<"), "true");
    assert_eq!(block.between("<BlockPublicPolicy>", "<"), "false");
}

#[test]
fn a_default_network_goes_only_in_the_right_order() {
    let simulator = simulator(0);
    let id = simulator.edit(|world| world.create_account("fresh"));
    let client = Client::new(&simulator).assume(&id, "landfall-write");
    let ec2 = |operation: &str, form: &str| client.query("ec2", "eu-central-1", operation, form);
    let vpcs = ec2("DescribeVpcs", "Filter.1.Name=is-default&Filter.1.Value.1=true");
    let vpc = vpcs.between("<vpcId>", "<");
    assert_eq!(ec2("DeleteVpc", &format!("VpcId={vpc}")).code(), "DependencyViolation");
    let filter = format!("Filter.1.Name=attachment.vpc-id&Filter.1.Value.1={vpc}");
    let gateway = ec2("DescribeInternetGateways", &filter).between("<internetGatewayId>", "<");
    assert_eq!(
        ec2("DeleteInternetGateway", &format!("InternetGatewayId={gateway}")).code(),
        "DependencyViolation"
    );
    let both = format!("InternetGatewayId={gateway}&VpcId={vpc}");
    assert_eq!(ec2("DetachInternetGateway", &both).status, 200);
    assert_eq!(ec2("DetachInternetGateway", &both).code(), "Gateway.NotAttached");
    assert_eq!(ec2("DeleteInternetGateway", &format!("InternetGatewayId={gateway}")).status, 200);
    for _ in 0..3 {
        let subnet = ec2("DescribeSubnets", "").between("<subnetId>", "<");
        assert_eq!(ec2("DeleteSubnet", &format!("SubnetId={subnet}")).status, 200);
    }
    assert_eq!(ec2("DeleteVpc", &format!("VpcId={vpc}")).status, 200);
    assert_eq!(ec2("DeleteVpc", &format!("VpcId={vpc}")).code(), "InvalidVpcID.NotFound");
    assert!(
        simulator.edit(|world| world.account_mut(&id).unwrap().region("eu-west-1").default_vpc().is_some())
    );
}

#[test]
fn a_network_in_use_can_not_be_deleted() {
    let simulator = simulator(2);
    let client = Client::new(&simulator).assume("222222222223", "landfall-write");
    let subnet = simulator.edit(|world| {
        let region = world.account_mut("222222222223").unwrap().region("us-east-1");
        region.network_interfaces.values().next().unwrap().subnet.clone()
    });
    let deleted = client.query("ec2", "us-east-1", "DeleteSubnet", &format!("SubnetId={subnet}"));
    assert_eq!(deleted.code(), "DependencyViolation");
}

#[test]
fn identity_center_works_in_the_background_and_forgives_repeats() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let sso = |operation: &str, mut body: Value| {
        body["InstanceArn"] = json!("arn:aws:sso:::instance/ssoins-1234567890abcdef");
        client.json("sso", "SWBExternalService", "us-east-1", operation, &body)
    };
    let store = json!({"IdentityStoreId": "d-1234567890", "DisplayName": "admins"});
    let group = client.json("identitystore", "AWSIdentityStore", "us-east-1", "CreateGroup", &store).json();
    let set =
        sso("CreatePermissionSet", json!({"Name": "admin"})).json()["PermissionSet"]["PermissionSetArn"]
            .clone();
    assert_eq!(sso("CreatePermissionSet", json!({"Name": "admin"})).code(), "ConflictException");
    let wish = json!({"TargetId": MEMBER, "TargetType": "AWS_ACCOUNT", "PermissionSetArn": set,
        "PrincipalType": "GROUP", "PrincipalId": group["GroupId"]});
    for _ in 0..2 {
        let begun =
            sso("CreateAccountAssignment", wish.clone()).json()["AccountAssignmentCreationStatus"].clone();
        assert_eq!(begun["Status"], "IN_PROGRESS");
        let ask = json!({"AccountAssignmentCreationRequestId": begun["RequestId"]});
        let look = || sso("DescribeAccountAssignmentCreationStatus", ask.clone()).json();
        assert_eq!(look()["AccountAssignmentCreationStatus"]["Status"], "IN_PROGRESS");
        assert_eq!(look()["AccountAssignmentCreationStatus"]["Status"], "SUCCEEDED");
    }
    let list = sso("ListAccountAssignments", json!({"AccountId": MEMBER, "PermissionSetArn": set})).json();
    assert_eq!(list["AccountAssignments"].as_array().unwrap().len(), 1);
}
