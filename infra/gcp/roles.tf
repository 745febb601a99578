# What the reader and the writer may do in the organization: two custom roles with what the controls declare (permissions.tf), and
# predefined roles for what no custom role can hold.
locals {
  # Those of deny policies and of organization policies are not supported in custom roles
  # (https://cloud.google.com/iam/docs/custom-roles-permissions-support).
  organization_roles = {
    read  = ["roles/iam.denyReviewer", "roles/orgpolicy.policyViewer"]
    write = ["roles/iam.denyAdmin", "roles/orgpolicy.policyAdmin"]
  }

  # Those of billing are granted on the billing accounts (https://cloud.google.com/billing/docs/how-to/billing-access): budgets are the
  # costs manager's, links of projects the user's.
  billing_roles = {
    read  = ["roles/billing.viewer"]
    write = ["roles/billing.costsManager", "roles/billing.user"]
  }
}

# Whether a permission can be in a custom role is Google's to say, and changes: asked before anything is made.
data "google_iam_testable_permissions" "unsupported" {
  full_resource_name   = "//cloudresourcemanager.googleapis.com/organizations/${var.organization}"
  stages               = ["ALPHA", "BETA", "GA"]
  custom_support_level = "NOT_SUPPORTED"
}

# A role's id can't be used again for weeks after the role was deleted, so the ids have the name in them.
resource "google_organization_iam_custom_role" "roles" {
  for_each = { read = local.read_permissions, write = local.write_permissions }

  org_id      = var.organization
  role_id     = "${replace(var.name, "-", "_")}_${each.key}"
  title       = "Landfall: ${each.key}"
  description = "What Landfall's controls ${each.key} with. Generated from what the controls declare."
  permissions = each.value

  lifecycle {
    precondition {
      condition = length(setintersection(
        each.value, data.google_iam_testable_permissions.unsupported.permissions[*].name
      )) == 0
      error_message = "No custom role can hold these permissions, which then have to come by a predefined role: ${join(", ", setintersection(each.value, data.google_iam_testable_permissions.unsupported.permissions[*].name))}."
    }
  }
}

resource "google_organization_iam_member" "custom" {
  for_each = google_organization_iam_custom_role.roles

  org_id = var.organization
  role   = each.value.name
  member = local.member[each.key]
}

resource "google_organization_iam_member" "predefined" {
  for_each = merge([for who, roles in local.organization_roles : { for role in roles : "${who} ${role}" => { who = who, role = role } }]...)

  org_id = var.organization
  role   = each.value.role
  member = local.member[each.value.who]
}

resource "google_billing_account_iam_member" "billing" {
  for_each = merge(flatten([
    for account in var.billing_accounts : [
      for who, roles in local.billing_roles : {
        for role in roles : "${account} ${who} ${role}" => { account = account, who = who, role = role }
      }
    ]
  ])...)

  billing_account_id = each.value.account
  role               = each.value.role
  member             = local.member[each.value.who]
}
