# The project can't be deleted, and nothing in it with it, until somebody takes this away on purpose. `protect-baseline` sets one of its own
# on projects that the manifest names; Landfall's need not be one of them.
# https://cloud.google.com/resource-manager/docs/project-liens
resource "google_resource_manager_lien" "project" {
  parent       = "projects/${data.google_project.controller.number}"
  origin       = "landfall.controller"
  reason       = "Landfall runs here and keeps its evidence here."
  restrictions = ["resourcemanager.projects.delete"]

  depends_on = [google_project_service.apis]
}

# Nobody changes or deletes what Landfall is made of but who deploys it, not even the project's owners: deny policies win over every grant,
# and only the organization's deny administrators change them. The account that writes is one of these (roles.tf), because the gate of a new
# project is a deny policy: whoever has become it can take this one away first, which shows in the audit log.
# Deny policies know some permissions and refuse a document that names another (https://cloud.google.com/iam/docs/deny-permissions-support):
# nothing known is here of Cloud Scheduler, Cloud Tasks, Pub/Sub and Cloud Monitoring. Who stops those is noticed by the next cloud's sweep.
locals {
  kept = [
    "cloudresourcemanager.googleapis.com/projects.delete",
    "iam.googleapis.com/serviceAccountKeys.create",
    "iam.googleapis.com/serviceAccounts.delete",
    "iam.googleapis.com/serviceAccounts.setIamPolicy",
    "logging.googleapis.com/buckets.delete",
    "logging.googleapis.com/buckets.update",
    "run.googleapis.com/services.delete",
    "run.googleapis.com/services.setIamPolicy",
    "run.googleapis.com/services.update",
    "serviceusage.googleapis.com/services.disable",
    "storage.googleapis.com/buckets.delete",
    "storage.googleapis.com/buckets.setIamPolicy",
    "storage.googleapis.com/buckets.update",
  ]

  # What the baseline itself does, where the project is one that the manifest names.
  kept_but_for_the_baseline = [
    "cloudresourcemanager.googleapis.com/projects.move",
    "cloudresourcemanager.googleapis.com/projects.setIamPolicy",
    "cloudresourcemanager.googleapis.com/projects.updateLiens",
    "iam.googleapis.com/serviceAccounts.disable",
  ]

  # Whoever may act as an account of Landfall's, starts something of their own as that account. The function brings its tasks as one, and the
  # baseline changes machines that run as one.
  acting = ["iam.googleapis.com/serviceAccounts.actAs"]

  # Each rule with whom it spares.
  denials = [
    { permissions = local.kept, spared = [] },
    {
      permissions = local.acting
      spared      = [for who in ["function", "write"] : "principal://iam.googleapis.com/projects/-/serviceAccounts/${local.email[who]}"]
    },
    {
      permissions = local.kept_but_for_the_baseline
      spared      = ["principal://iam.googleapis.com/projects/-/serviceAccounts/${local.email["write"]}"]
    },
  ]
}

resource "google_iam_deny_policy" "own" {
  count = length(var.deployers) == 0 ? 0 : 1

  parent       = urlencode("cloudresourcemanager.googleapis.com/projects/${var.project}")
  name         = "${var.name}-own"
  display_name = "Landfall's own function, identities and evidence"

  dynamic "rules" {
    for_each = local.denials
    content {
      deny_rule {
        denied_principals    = ["principalSet://goog/public:all"]
        exception_principals = sort(concat(tolist(var.deployers), rules.value.spared))
        denied_permissions   = rules.value.permissions
      }
    }
  }

  # Nothing is refused to the deployment that makes it.
  depends_on = [
    google_cloud_run_v2_service.function,
    google_logging_project_bucket_config.logs,
    google_cloud_run_v2_service_iam_member.callers,
    google_resource_manager_lien.project,
    google_service_account_iam_member.impersonation,
    google_service_account_iam_member.tokens,
    google_service_account_iam_member.work,
    google_storage_bucket_iam_member.publishers,
    google_storage_bucket_iam_member.reads,
    google_storage_bucket_iam_member.writes,
  ]
}
