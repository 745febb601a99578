# What makes Landfall look at everything, and what brings each target to it.
resource "google_cloud_scheduler_job" "sweep" {
  project          = var.project
  region           = var.region
  name             = "${var.name}-sweep"
  description      = "Landfall looks at the whole organization"
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.timeout}s"

  # The next sweep is an hour away, and running twice is the normal case.
  retry_config {
    retry_count          = 2
    min_backoff_duration = "30s"
    max_backoff_duration = "300s"
  }

  http_target {
    http_method = "POST"
    uri         = "${local.url}/sweep"

    oidc_token {
      service_account_email = local.email["schedule"]
      audience              = local.url
    }
  }

  # A job that runs before the service is there only fails.
  depends_on = [google_project_service.apis, google_service_account_iam_member.tokens, google_cloud_run_v2_service.function]
}

resource "google_cloud_tasks_queue" "work" {
  project  = var.project
  location = var.region
  name     = "${var.name}-work"

  rate_limits {
    max_concurrent_dispatches = var.max_concurrent_dispatches
    max_dispatches_per_second = 50
  }

  # What was given up is gone: the sweep counts that target as unknown when it closes, and the next one looks again.
  retry_config {
    max_attempts  = 10
    min_backoff   = "5s"
    max_backoff   = "600s"
    max_doublings = 7
  }

  stackdriver_logging_config {
    sampling_ratio = 1
  }

  depends_on = [google_project_service.apis]
}

resource "google_cloud_tasks_queue_iam_member" "function" {
  project  = var.project
  location = var.region
  name     = google_cloud_tasks_queue.work.name
  role     = "roles/cloudtasks.enqueuer"
  member   = local.member["function"]
}
