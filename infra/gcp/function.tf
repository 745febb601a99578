# The function, as a service of Cloud Run.
locals {
  # Its address is known before it is there: https://cloud.google.com/run/docs/triggering/https-request#deterministic
  url = "https://${var.name}-${data.google_project.controller.number}.${var.region}.run.app"

  callers = {
    LANDFALL_AUDIENCE        = local.url
    LANDFALL_EVENTS_CALLERS  = local.email["events"]
    LANDFALL_SWEEP_CALLERS   = local.email["schedule"]
    LANDFALL_CONSOLE_CALLERS = join(",", sort(var.console_callers))
  }

  # The function refuses what is set and looked at by nobody, so that what says nothing is not set.
  environment = { for name, value in merge(
    {
      LANDFALL_AUTH             = var.auth
      LANDFALL_CLOUD            = var.cloud
      LANDFALL_LOG              = var.log
      LANDFALL_MANIFEST         = local.bundle
      LANDFALL_PUBLIC_KEYS      = var.public_keys
      LANDFALL_QUEUE            = google_cloud_tasks_queue.work.id
      LANDFALL_STORE            = local.store
      LANDFALL_STORE_AUDIENCE   = local.own_store ? "" : var.remote_store.audience
      LANDFALL_STORE_IDENTITY   = local.own_store ? "" : var.remote_store.identity
      LANDFALL_WORKER           = "${local.url}/work"
      LANDFALL_WORKER_ACCOUNT   = local.email["tasks"]
      CLOUD_RUN_TIMEOUT_SECONDS = tostring(var.timeout)
    },
    var.auth == "oidc" ? local.callers : {}
  ) : name => value if value != "" }
}

resource "google_cloud_run_v2_service" "function" {
  project             = var.project
  location            = var.region
  name                = var.name
  description         = "Landfall"
  ingress             = var.ingress
  deletion_protection = var.deletion_protection

  # Cloud Run takes the signature away from the token that it checked, so only one of the two can check. Where it is the function, Cloud Run
  # lets everybody through to it without a grant to `allUsers`, which many organizations forbid:
  # https://cloud.google.com/run/docs/securing/managing-access#invoker_check
  invoker_iam_disabled = var.auth == "oidc"

  template {
    service_account                  = local.email["function"]
    timeout                          = "${var.timeout}s"
    max_instance_request_concurrency = var.concurrency
    encryption_key                   = var.kms_key == "" ? null : var.kms_key

    scaling {
      min_instance_count = 0
      max_instance_count = var.max_instances
    }

    containers {
      image = var.image

      # Nothing runs between requests; what is faster to start is billed less.
      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        http_get {
          path = "/"
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.auth == "oidc" || length(var.console_callers) == 0
      error_message = "With `auth = \"platform\"` nobody looks at `console_callers`: whoever may invoke the service may have everything done."
    }
    precondition {
      condition     = var.max_concurrent_dispatches < var.max_instances * var.concurrency
      error_message = "The instances can't take `max_concurrent_dispatches` and an event beside: more `max_instances` or `concurrency`, or fewer dispatches."
    }
    precondition {
      condition     = length("${var.name}-${data.google_project.controller.number}") <= 49
      error_message = "The name is too long: Cloud Run would shorten the service's address."
    }
  }

  # Whatever wakes it before it may read the bucket finds no bundle.
  depends_on = [
    google_project_service.apis,
    google_kms_crypto_key_iam_member.agents,
    google_storage_bucket_iam_member.reads,
    google_storage_bucket_iam_member.writes,
  ]
}

# With `platform`, Cloud Run asks who may invoke.
resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = var.auth == "platform" ? toset(["events", "schedule", "tasks"]) : toset([])

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.function.name
  role     = "roles/run.invoker"
  member   = local.member[each.key]
}
