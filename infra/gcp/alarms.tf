# Who is told when Landfall itself stands still. What it finds in the organization is in its reports.
locals {
  channels = concat(
    [for channel in google_monitoring_notification_channel.mail : channel.name],
    tolist(var.notification_channels)
  )

  service = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}\""

  # A sweep that began, as Cloud Run logs the request, and one that was closed, as the function says it.
  sweeps = {
    begun  = "${local.service} AND log_id(\"run.googleapis.com/requests\") AND httpRequest.requestUrl=~\"/sweep$\" AND httpRequest.status<300"
    closed = "${local.service} AND jsonPayload.message=\"sweep closed\""
  }
}

resource "google_monitoring_notification_channel" "mail" {
  for_each = var.alert_emails

  project      = var.project
  display_name = "Landfall: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.apis]
}

resource "google_logging_metric" "sweeps" {
  for_each = local.sweeps

  project     = var.project
  name        = "${var.name}/sweeps-${each.key}"
  description = "Sweeps that were ${each.key}"
  filter      = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.apis]
}

# Absence is only seen of what was there once: before the first sweep nobody is told.
resource "google_monitoring_alert_policy" "missed_sweep" {
  project               = var.project
  display_name          = "Landfall: a sweep was missed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = google_logging_metric.sweeps
    content {
      display_name = "no sweep was ${conditions.key} for ${var.missed_sweep_hours} h"
      condition_absent {
        filter   = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${conditions.value.name}\""
        duration = "${var.missed_sweep_hours * 3600}s"
        aggregations {
          alignment_period     = "300s"
          per_series_aligner   = "ALIGN_SUM"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Drift is not seen and new projects are found by events alone. Look at the job `${google_cloud_scheduler_job.sweep.name}`, then at the logs of the service `${var.name}`, then run `landfall doctor`."
  }
}

# The line that the function logs at a sweep's end for each cloud of the manifest that was not swept for too long.
resource "google_monitoring_alert_policy" "another_silent" {
  project               = var.project
  display_name          = "Landfall: another cloud is silent"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "a sweep here misses those of another cloud"
    condition_matched_log {
      filter = "${local.service} AND jsonPayload.message=\"another cloud is silent\""
    }
  }

  # Told of by each sweep, and once a day is enough.
  alert_strategy {
    notification_rate_limit {
      period = "86400s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "It was not swept for longer than `limits.silence` of the manifest. Its own alarm may be silent, too. The logs of the service `${var.name}` say which cloud, and since when."
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project
  display_name          = "Landfall: an event was given up"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "messages wait in ${google_pubsub_subscription.dead.name}"
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The function refused a message five times. Why is in the store below `refused/` and in its logs; the next sweep looks at everybody all the same. Once it is understood: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead.name} --auto-ack`."
  }
}

resource "google_monitoring_alert_policy" "failed_requests" {
  project               = var.project
  display_name          = "Landfall: requests fail"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "more than ${var.failed_requests} answers of 5xx in 15 minutes"
    condition_threshold {
      filter          = "${local.service} AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.failed_requests
      duration        = "0s"
      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Each failed run comes again by itself; why it failed is in the logs of the service `${var.name}`. A function that can't start says which variable is wrong in one line."
  }
}
