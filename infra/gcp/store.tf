# Where everything is kept: the bundle that is followed, and all that Landfall knows and did.
locals {
  own_store = var.remote_store == null
  bucket    = "${var.project}-${var.name}"
  bundle    = local.own_store ? "gs://${local.bucket}/bundle/bundle.json" : var.remote_store.bundle
  store     = local.own_store ? "gs://${local.bucket}/store" : var.remote_store.store
  objects   = "projects/_/buckets/${local.bucket}/objects"

  # Who keeps records here, and who reads the bundle.
  keepers = local.own_store ? merge({ function = local.member["function"] }, { for member in var.store_members : member => member }) : {}
}

# A retention period of the whole bucket is not set: records of tenants are written again and again, and a period forbids that until they
# are old (https://cloud.google.com/storage/docs/bucket-lock). What was overwritten or deleted stays as a version instead.
resource "google_storage_bucket" "store" {
  count = local.own_store ? 1 : 0

  project                     = var.project
  name                        = local.bucket
  location                    = var.store_location == "" ? var.region : var.store_location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  enable_object_retention     = var.object_retention

  versioning {
    enabled = true
  }

  # What was deleted for good, versions too, can be had back for so long: 90 days is the longest.
  soft_delete_policy {
    retention_duration_seconds = 90 * 24 * 3600
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.versions_days
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == "" ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle {
    # It holds the evidence.
    prevent_destroy = true
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}

# The function reads the whole bucket and writes below `store/`: it can't put a bundle in the place of the one it follows.
resource "google_storage_bucket_iam_member" "reads" {
  for_each = local.keepers

  bucket = google_storage_bucket.store[0].name
  role   = "roles/storage.objectViewer"
  member = each.value
}

resource "google_storage_bucket_iam_member" "writes" {
  for_each = local.keepers

  bucket = google_storage_bucket.store[0].name
  role   = "roles/storage.objectUser"
  member = each.value

  condition {
    title      = "below store/"
    expression = "resource.name.startsWith(\"${local.objects}/store/\")"
  }
}

resource "google_storage_bucket_iam_member" "publishers" {
  for_each = local.own_store ? var.bundle_publishers : toset([])

  bucket = google_storage_bucket.store[0].name
  role   = "roles/storage.objectUser"
  member = each.value

  condition {
    title      = "below bundle/"
    expression = "resource.name.startsWith(\"${local.objects}/bundle/\")"
  }
}

# The function's own words are in the project's default bucket of logs, which is there already.
resource "google_logging_project_bucket_config" "logs" {
  project        = var.project
  location       = "global"
  bucket_id      = "_Default"
  retention_days = var.log_days

  depends_on = [google_project_service.apis]
}
