# What is made where only the four things are said that have to be.

mock_provider "google" {
  override_during = plan
  source          = "./tests/mocks"
}

variables {
  organization = "123456789012"
  project      = "acme-landfall"
  region       = "europe-west1"
  image        = "europe-west1-docker.pkg.dev/acme-landfall/landfall/function@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  public_keys  = "512e3002d68a3585=CjT5DnLhLW/6V2LYMEplpQ4wzc8CjNszm7NSqdQ0LHA="
}

run "the_function_is_told_all_it_needs" {
  command = plan

  assert {
    condition = { for env in google_cloud_run_v2_service.function.template[0].containers[0].env : env.name => env.value } == {
      LANDFALL_AUTH             = "oidc"
      LANDFALL_AUDIENCE         = "https://landfall-111122223333.europe-west1.run.app"
      LANDFALL_EVENTS_CALLERS   = "landfall-events@acme-landfall.iam.gserviceaccount.com"
      LANDFALL_LOG              = "info"
      LANDFALL_MANIFEST         = "gs://acme-landfall-landfall/bundle/bundle.json"
      LANDFALL_PUBLIC_KEYS      = "512e3002d68a3585=CjT5DnLhLW/6V2LYMEplpQ4wzc8CjNszm7NSqdQ0LHA="
      LANDFALL_QUEUE            = "projects/acme-landfall/locations/europe-west1/queues/landfall-work"
      LANDFALL_STORE            = "gs://acme-landfall-landfall/store"
      LANDFALL_SWEEP_CALLERS    = "landfall-schedule@acme-landfall.iam.gserviceaccount.com"
      LANDFALL_WORKER           = "https://landfall-111122223333.europe-west1.run.app/work"
      LANDFALL_WORKER_ACCOUNT   = "landfall-tasks@acme-landfall.iam.gserviceaccount.com"
      CLOUD_RUN_TIMEOUT_SECONDS = "900"
    }
    error_message = "The function's environment is another."
  }

  assert {
    condition     = google_cloud_run_v2_service.function.template[0].service_account == "landfall-function@acme-landfall.iam.gserviceaccount.com"
    error_message = "The function runs as somebody else."
  }
}

run "nobody_gets_in_who_should_not" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.function.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "The service can be reached from everywhere."
  }

  assert {
    condition     = google_cloud_run_v2_service.function.invoker_iam_disabled && length(google_cloud_run_v2_service_iam_member.callers) == 0
    error_message = "With `oidc` the function checks tokens: Cloud Run may not take their signatures away."
  }

  assert {
    condition     = google_storage_bucket.store[0].uniform_bucket_level_access && google_storage_bucket.store[0].public_access_prevention == "enforced"
    error_message = "The store could be made public."
  }

  assert {
    condition = alltrue([
      for grant in concat(
        values(google_service_account_iam_member.impersonation),
        values(google_service_account_iam_member.tokens),
        [google_service_account_iam_member.work],
      ) : startswith(grant.member, "serviceAccount:") && endswith(grant.member, ".iam.gserviceaccount.com")
    ])
    error_message = "Somebody who is no service account may act as one of ours."
  }

  assert {
    condition     = alltrue([for grant in values(google_service_account_iam_member.impersonation) : grant.member == "serviceAccount:landfall-function@acme-landfall.iam.gserviceaccount.com"])
    error_message = "Somebody beside the function becomes the reader or the writer."
  }
}

run "what_the_function_writes_is_below_store" {
  command = plan

  assert {
    condition     = google_storage_bucket_iam_member.writes["function"].condition[0].expression == "resource.name.startsWith(\"projects/_/buckets/acme-landfall-landfall/objects/store/\")"
    error_message = "The function could put a bundle in the place of the one it follows."
  }

  assert {
    condition     = google_storage_bucket_iam_member.writes["function"].role == "roles/storage.objectUser" && google_storage_bucket_iam_member.reads["function"].role == "roles/storage.objectViewer"
    error_message = "The function has another right on the bucket."
  }
}

run "what_holds_evidence_is_kept" {
  command = plan

  assert {
    condition = (
      google_storage_bucket.store[0].versioning[0].enabled
      && !google_storage_bucket.store[0].force_destroy
      && google_storage_bucket.store[0].soft_delete_policy[0].retention_duration_seconds == 7776000
      && length(google_storage_bucket.store[0].retention_policy) == 0
    )
    error_message = "The store is kept otherwise."
  }

  assert {
    condition     = google_cloud_run_v2_service.function.deletion_protection && google_logging_project_bucket_config.logs.retention_days == 400
    error_message = "The function or its logs are kept otherwise."
  }

  assert {
    condition     = google_resource_manager_lien.project.parent == "projects/111122223333" && google_resource_manager_lien.project.restrictions == tolist(["resourcemanager.projects.delete"])
    error_message = "The project can be deleted."
  }
}

run "events_come_from_the_whole_organization" {
  command = plan

  assert {
    condition     = google_logging_organization_sink.events.include_children && google_logging_organization_sink.events.org_id == "123456789012"
    error_message = "The sink sees less than the organization."
  }

  assert {
    condition     = strcontains(google_logging_organization_sink.events.filter, "AND NOT protoPayload.authenticationInfo.principalEmail = \"landfall-write@acme-landfall.iam.gserviceaccount.com\"")
    error_message = "Landfall's own writes wake it."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.sink.member == "serviceAccount:service-org-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
    error_message = "The sink can't write into the topic."
  }

  assert {
    condition     = length(google_cloud_asset_organization_feed.projects) == 0
    error_message = "Nobody asked for an asset feed."
  }
}

run "what_nobody_can_read_is_given_up" {
  command = plan

  assert {
    condition = (
      google_pubsub_subscription.events.push_config[0].push_endpoint == "https://landfall-111122223333.europe-west1.run.app/"
      && google_pubsub_subscription.events.push_config[0].oidc_token[0].audience == "https://landfall-111122223333.europe-west1.run.app"
      && google_pubsub_subscription.events.push_config[0].oidc_token[0].service_account_email == "landfall-events@acme-landfall.iam.gserviceaccount.com"
      && length(google_pubsub_subscription.events.push_config[0].no_wrapper) == 0
      && google_pubsub_subscription.events.ack_deadline_seconds == 600
    )
    error_message = "Events are pushed otherwise."
  }

  assert {
    condition = (
      google_pubsub_subscription.events.dead_letter_policy[0].dead_letter_topic == "projects/acme-landfall/topics/landfall-dead"
      && google_pubsub_subscription.events.dead_letter_policy[0].max_delivery_attempts == 5
      && google_pubsub_topic_iam_member.dead.member == "serviceAccount:service-111122223333@gcp-sa-pubsub.iam.gserviceaccount.com"
      && google_pubsub_subscription_iam_member.events.member == google_pubsub_topic_iam_member.dead.member
      && google_pubsub_subscription_iam_member.events.role == "roles/pubsub.subscriber"
      && google_pubsub_topic_iam_member.dead.role == "roles/pubsub.publisher"
    )
    error_message = "Pub/Sub could not put aside what is given up."
  }

  assert {
    condition     = google_pubsub_subscription.events.expiration_policy[0].ttl == "" && google_pubsub_subscription.dead.expiration_policy[0].ttl == ""
    error_message = "A quiet month would delete the subscription."
  }
}

run "everything_is_looked_at_hourly" {
  command = plan

  assert {
    condition = (
      google_cloud_scheduler_job.sweep.schedule == "17 * * * *"
      && google_cloud_scheduler_job.sweep.attempt_deadline == "900s"
      && google_cloud_scheduler_job.sweep.http_target[0].uri == "https://landfall-111122223333.europe-west1.run.app/sweep"
      && google_cloud_scheduler_job.sweep.http_target[0].http_method == "POST"
      && google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].service_account_email == "landfall-schedule@acme-landfall.iam.gserviceaccount.com"
      && google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].audience == "https://landfall-111122223333.europe-west1.run.app"
    )
    error_message = "The sweep is started otherwise."
  }

  assert {
    condition     = google_cloud_tasks_queue.work.retry_config[0].max_attempts == 10 && google_cloud_tasks_queue.work.rate_limits[0].max_concurrent_dispatches == 40
    error_message = "The queue has other limits."
  }
}

run "custom_roles_hold_only_what_they_can" {
  command = plan

  assert {
    condition = alltrue([
      for permission in setunion([for role in google_organization_iam_custom_role.roles : role.permissions]...) :
      !startswith(permission, "billing.") && !startswith(permission, "iam.denypolicies.") && !startswith(permission, "orgpolicy.")
    ])
    error_message = "No custom role of the organization can hold that."
  }

  assert {
    condition = { for who, role in google_organization_iam_custom_role.roles : who => sort(role.permissions) } == {
      read  = sort(local.read_permissions)
      write = sort(local.write_permissions)
    }
    error_message = "The custom roles hold something else than what the controls declare."
  }

  assert {
    condition = { for name, grant in google_organization_iam_member.predefined : name => grant.member } == {
      "read roles/iam.denyReviewer"       = "serviceAccount:landfall-read@acme-landfall.iam.gserviceaccount.com"
      "read roles/orgpolicy.policyViewer" = "serviceAccount:landfall-read@acme-landfall.iam.gserviceaccount.com"
      "write roles/iam.denyAdmin"         = "serviceAccount:landfall-write@acme-landfall.iam.gserviceaccount.com"
      "write roles/orgpolicy.policyAdmin" = "serviceAccount:landfall-write@acme-landfall.iam.gserviceaccount.com"
    }
    error_message = "The predefined roles are others."
  }

  assert {
    condition     = { for who, grant in google_organization_iam_member.custom : who => grant.member } == { for who in ["read", "write"] : who => "serviceAccount:landfall-${who}@acme-landfall.iam.gserviceaccount.com" }
    error_message = "Somebody else has the custom roles."
  }

  assert {
    condition     = length(google_billing_account_iam_member.billing) == 0
    error_message = "No billing account was named."
  }
}
