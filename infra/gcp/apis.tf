# Google counts calls for the project of whoever calls, whomever they are about, and that is this one: each API has to be enabled here.
# Only Compute asks the project that it is about (https://cloud.google.com/docs/quotas/quota-project, "Resource-based APIs"); enabled here it
# would do nothing but make a default network. `landfall doctor` asks for the same ones.
locals {
  called_apis = [
    "accessapproval",
    "billingbudgets",
    "cloudasset",
    "cloudbilling",
    "cloudresourcemanager",
    "cloudtasks",
    "essentialcontacts",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "orgpolicy",
    "securitycentermanagement",
    "serviceusage",
    "storage",
  ]
  # What is only used by what is made here.
  own_apis = concat(["cloudscheduler", "pubsub", "run"], var.kms_key == "" ? [] : ["cloudkms"])
}

# Whoever takes Landfall away may use the APIs for something else.
resource "google_project_service" "apis" {
  for_each = toset(concat(local.called_apis, local.own_apis))

  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
