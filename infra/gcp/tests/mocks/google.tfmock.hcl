# What Google would answer: numbers and names that only exist once something was made.
mock_data "google_project" {
  defaults = {
    number = "111122223333"
  }
}

mock_data "google_iam_testable_permissions" {
  defaults = {
    permissions = []
  }
}

mock_data "google_storage_project_service_account" {
  defaults = {
    email_address = "service-111122223333@gs-project-accounts.iam.gserviceaccount.com"
  }
}

mock_resource "google_cloud_tasks_queue" {
  defaults = {
    id = "projects/acme-landfall/locations/europe-west1/queues/landfall-work"
  }
}

mock_resource "google_logging_organization_sink" {
  defaults = {
    writer_identity = "serviceAccount:service-org-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["function"]
  values = {
    email = "landfall-function@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-function@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["read"]
  values = {
    email = "landfall-read@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-read@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["write"]
  values = {
    email = "landfall-write@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-write@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["events"]
  values = {
    email = "landfall-events@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-events@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["schedule"]
  values = {
    email = "landfall-schedule@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-schedule@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.identities["tasks"]
  values = {
    email = "landfall-tasks@acme-landfall.iam.gserviceaccount.com"
    name  = "projects/acme-landfall/serviceAccounts/landfall-tasks@acme-landfall.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_organization_iam_custom_role.roles["read"]
  values = {
    name = "organizations/123456789012/roles/landfall_read"
  }
}

override_resource {
  target = google_organization_iam_custom_role.roles["write"]
  values = {
    name = "organizations/123456789012/roles/landfall_write"
  }
}

override_resource {
  target = google_pubsub_topic.events
  values = {
    id = "projects/acme-landfall/topics/landfall-events"
  }
}

override_resource {
  target = google_pubsub_topic.dead
  values = {
    id = "projects/acme-landfall/topics/landfall-dead"
  }
}
