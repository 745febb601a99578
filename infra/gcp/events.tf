# Events: what makes Landfall look sooner than at the next sweep. The audit log of the whole organization, through a topic, to the function.
locals {
  # What the function listens to. The last line keeps Landfall's own writes from waking it.
  filter = <<-EOT
    log_id("cloudaudit.googleapis.com/activity")
    AND protoPayload.methodName =~ "(CreateProject|UndeleteProject|MoveProject|DeleteProject|UpdateProject|SetIamPolicy|CreatePolicy|UpdatePolicy|DeletePolicy|DeleteLien|AssignResourceToBillingAccount|UpdateProjectBillingInfo|EnableService|BatchEnableServices|DisableService)$"
    AND NOT protoPayload.authenticationInfo.principalEmail = "${local.email["write"]}"
  EOT
}

resource "google_pubsub_topic" "events" {
  project                    = var.project
  name                       = "${var.name}-events"
  kms_key_name               = var.kms_key == "" ? null : var.kms_key
  message_retention_duration = "604800s"

  # Ids of projects and of people stay where the store is.
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}

resource "google_logging_organization_sink" "events" {
  name             = "${var.name}-events"
  description      = "Wakes Landfall when a project is made, moved or changed"
  org_id           = var.organization
  destination      = "pubsub.googleapis.com/${google_pubsub_topic.events.id}"
  include_children = true
  filter           = trimspace(local.filter)
}

# A sink writes as an account of its own: https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth
resource "google_pubsub_topic_iam_member" "sink" {
  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_logging_organization_sink.events.writer_identity
}

resource "google_pubsub_subscription" "events" {
  project                    = var.project
  name                       = "${var.name}-events"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = "${local.url}/"

    oidc_token {
      service_account_email = local.email["events"]
      audience              = local.url
    }
  }

  # What nobody can read is answered by 400, and would come again for ever.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 5
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # Without a word on it, a subscription that nothing came through for a month is deleted.
  expiration_policy {
    ttl = ""
  }

  depends_on = [google_service_account_iam_member.tokens, google_pubsub_topic_iam_member.dead]
}

# What was given up waits here for a person.
resource "google_pubsub_topic" "dead" {
  project      = var.project
  name         = "${var.name}-dead"
  kms_key_name = var.kms_key == "" ? null : var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_subscription" "dead" {
  project                    = var.project
  name                       = "${var.name}-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's agent takes a message from the one and puts it into the other:
# https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
resource "google_pubsub_topic_iam_member" "dead" {
  project = var.project
  topic   = google_pubsub_topic.dead.name
  role    = "roles/pubsub.publisher"
  member  = local.agents["pubsub"]
}

resource "google_pubsub_subscription_iam_member" "events" {
  project      = var.project
  subscription = google_pubsub_subscription.events.name
  role         = "roles/pubsub.subscriber"
  member       = local.agents["pubsub"]
}

# The same by an asset feed, where asked for: it also sees what no audit log tells, and is some minutes later.
resource "google_cloud_asset_organization_feed" "projects" {
  count = var.asset_feed ? 1 : 0

  billing_project = var.project
  org_id          = var.organization
  feed_id         = "${var.name}-projects"
  content_type    = "RESOURCE"
  asset_types     = ["cloudresourcemanager.googleapis.com/Project"]

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.events.id
    }
  }

  depends_on = [google_pubsub_topic_iam_member.feed]
}

resource "google_pubsub_topic_iam_member" "feed" {
  count = var.asset_feed ? 1 : 0

  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = local.agents["asset"]

  depends_on = [google_project_service.apis]
}
