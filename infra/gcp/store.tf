# Where everything is kept: the bundle that is followed, and all that Landfall knows and did.
locals {
  bucket = "${var.project}-${var.name}"
  bundle = "gs://${google_storage_bucket.store.name}/bundle/bundle.json"
  store  = "gs://${google_storage_bucket.store.name}/store"
}

# A retention period of the whole bucket is not set: records of tenants are written again and again, and a period forbids that until they
# are old (https://cloud.google.com/storage/docs/bucket-lock). What was overwritten or deleted stays as a version instead.
resource "google_storage_bucket" "store" {
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
  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectViewer"
  member = local.member["function"]
}

resource "google_storage_bucket_iam_member" "writes" {
  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectUser"
  member = local.member["function"]

  condition {
    title      = "below store/"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.store.name}/objects/store/\")"
  }
}

resource "google_storage_bucket_iam_member" "publishers" {
  for_each = var.bundle_publishers

  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectUser"
  member = each.value

  condition {
    title      = "below bundle/"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.store.name}/objects/bundle/\")"
  }
}

# The function's own words are in the project's default bucket of logs, which is there already.
resource "google_logging_project_bucket_config" "logs" {
  project        = "projects/${var.project}"
  location       = "global"
  bucket_id      = "_Default"
  retention_days = var.log_days

  depends_on = [google_project_service.apis]
}
