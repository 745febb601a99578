# What is made otherwise where somebody chose otherwise.

mock_provider "google" {
  override_during = plan
  source          = "./tests/mocks"
}

variables {
  organization = "123456789012"
  project      = "acme-landfall"
  region       = "europe-west1"
  image        = "europe-west1-docker.pkg.dev/acme-landfall/landfall/function"
  public_keys  = "512e3002d68a3585=CjT5DnLhLW/6V2LYMEplpQ4wzc8CjNszm7NSqdQ0LHA="
}

run "cloud_run_checks_who_calls" {
  command = plan

  variables {
    auth = "platform"
  }

  assert {
    condition = { for env in google_cloud_run_v2_service.function.template[0].containers[0].env : env.name => env.value } == {
      LANDFALL_AUTH             = "platform"
      LANDFALL_LOG              = "info"
      LANDFALL_MANIFEST         = "gs://acme-landfall-landfall/bundle/bundle.json"
      LANDFALL_PUBLIC_KEYS      = "512e3002d68a3585=CjT5DnLhLW/6V2LYMEplpQ4wzc8CjNszm7NSqdQ0LHA="
      LANDFALL_QUEUE            = "projects/acme-landfall/locations/europe-west1/queues/landfall-work"
      LANDFALL_STORE            = "gs://acme-landfall-landfall/store"
      LANDFALL_WORKER           = "https://landfall-111122223333.europe-west1.run.app/work"
      LANDFALL_WORKER_ACCOUNT   = "landfall-tasks@acme-landfall.iam.gserviceaccount.com"
      CLOUD_RUN_TIMEOUT_SECONDS = "900"
    }
    error_message = "The function is told what it would refuse: nobody looks at callers here."
  }

  assert {
    condition     = !google_cloud_run_v2_service.function.invoker_iam_disabled
    error_message = "Nobody would check who calls."
  }

  assert {
    condition = { for who, grant in google_cloud_run_v2_service_iam_member.callers : who => "${grant.role} ${grant.member}" } == {
      for who in ["events", "schedule", "tasks"] : who => "roles/run.invoker serviceAccount:landfall-${who}@acme-landfall.iam.gserviceaccount.com"
    }
    error_message = "Others may invoke the service."
  }
}

run "people_may_ask" {
  command = plan

  variables {
    cloud           = "google"
    console_callers = ["ops@acme.example", "auditor@acme-audit.iam.gserviceaccount.com"]
    ingress         = "INGRESS_TRAFFIC_ALL"
    timeout         = 1800
  }

  assert {
    condition = { for env in google_cloud_run_v2_service.function.template[0].containers[0].env : env.name => env.value
      if contains(["LANDFALL_CLOUD", "LANDFALL_CONSOLE_CALLERS", "CLOUD_RUN_TIMEOUT_SECONDS"], env.name) } == {
      LANDFALL_CLOUD            = "google"
      LANDFALL_CONSOLE_CALLERS  = "auditor@acme-audit.iam.gserviceaccount.com,ops@acme.example"
      CLOUD_RUN_TIMEOUT_SECONDS = "1800"
    }
    error_message = "The function is told otherwise."
  }

  assert {
    condition     = google_cloud_run_v2_service.function.template[0].timeout == "1800s" && google_cloud_scheduler_job.sweep.attempt_deadline == "1800s"
    error_message = "Somebody stops waiting before the function is done."
  }
}

run "projects_are_told_of_by_a_feed_too" {
  command = plan

  variables {
    asset_feed = true
  }

  assert {
    condition = (
      google_cloud_asset_organization_feed.projects[0].feed_output_config[0].pubsub_destination[0].topic == "projects/acme-landfall/topics/landfall-events"
      && google_cloud_asset_organization_feed.projects[0].content_type == "RESOURCE"
      && google_pubsub_topic_iam_member.feed[0].member == "serviceAccount:service-111122223333@gcp-sa-cloudasset.iam.gserviceaccount.com"
    )
    error_message = "The feed can't tell of anything."
  }
}

run "a_key_of_ones_own" {
  command = plan

  variables {
    kms_key = "projects/acme-keys/locations/europe-west1/keyRings/landfall/cryptoKeys/landfall"
  }

  assert {
    condition = (
      google_storage_bucket.store[0].encryption[0].default_kms_key_name == var.kms_key
      && google_pubsub_topic.events.kms_key_name == var.kms_key
      && google_pubsub_topic.dead.kms_key_name == var.kms_key
      && google_cloud_run_v2_service.function.template[0].encryption_key == var.kms_key
    )
    error_message = "Something is encrypted with another key."
  }

  assert {
    condition = { for who, grant in google_kms_crypto_key_iam_member.agents : who => grant.member } == {
      pubsub  = "serviceAccount:service-111122223333@gcp-sa-pubsub.iam.gserviceaccount.com"
      run     = "serviceAccount:service-111122223333@serverless-robot-prod.iam.gserviceaccount.com"
      storage = "serviceAccount:service-111122223333@gs-project-accounts.iam.gserviceaccount.com"
    }
    error_message = "An agent that encrypts may not use the key."
  }

  assert {
    condition     = contains(keys(google_project_service.apis), "cloudkms")
    error_message = "Cloud KMS is not enabled."
  }
}

run "the_store_is_on_another_cloud" {
  command = plan

  variables {
    remote_store = {
      store    = "s3://acme-landfall/store?region=eu-central-1"
      bundle   = "s3://acme-landfall/bundle.json"
      identity = "arn:aws:iam::111111111111:role/landfall-store"
    }
    bundle_publishers = ["group:landfall@acme.example"]
  }

  assert {
    condition = { for env in google_cloud_run_v2_service.function.template[0].containers[0].env : env.name => env.value
      if startswith(env.name, "LANDFALL_STORE") || env.name == "LANDFALL_MANIFEST" } == {
      LANDFALL_MANIFEST       = "s3://acme-landfall/bundle.json"
      LANDFALL_STORE          = "s3://acme-landfall/store?region=eu-central-1"
      LANDFALL_STORE_IDENTITY = "arn:aws:iam::111111111111:role/landfall-store"
    }
    error_message = "The function looks for its store elsewhere."
  }

  assert {
    condition = (
      length(google_storage_bucket.store) == 0
      && length(google_storage_bucket_iam_member.reads) == 0
      && length(google_storage_bucket_iam_member.publishers) == 0
    )
    error_message = "A bucket is made that nobody uses."
  }
}

run "who_deploys_is_spared_and_nobody_else" {
  command = plan

  variables {
    deployers = ["principalSet://goog/group/platform@acme.example"]
  }

  assert {
    condition     = google_iam_deny_policy.own[0].parent == "cloudresourcemanager.googleapis.com%2Fprojects%2Facme-landfall"
    error_message = "The policy is on something else than Landfall's project."
  }

  assert {
    condition = [for rule in google_iam_deny_policy.own[0].rules : join(" ", sort(rule.deny_rule[0].exception_principals))] == [
      "principalSet://goog/group/platform@acme.example",
      "principal://iam.googleapis.com/projects/-/serviceAccounts/landfall-function@acme-landfall.iam.gserviceaccount.com principal://iam.googleapis.com/projects/-/serviceAccounts/landfall-write@acme-landfall.iam.gserviceaccount.com principalSet://goog/group/platform@acme.example",
      "principal://iam.googleapis.com/projects/-/serviceAccounts/landfall-write@acme-landfall.iam.gserviceaccount.com principalSet://goog/group/platform@acme.example",
    ]
    error_message = "Others are spared, or those who deploy are not."
  }

  assert {
    condition = alltrue([
      for rule in google_iam_deny_policy.own[0].rules :
      toset(rule.deny_rule[0].denied_principals) == toset(["principalSet://goog/public:all"]) && length(rule.deny_rule[0].denied_permissions) > 0
    ])
    error_message = "Somebody is left out."
  }
}

run "without_a_word_nobody_is_denied" {
  command = plan

  assert {
    condition     = length(google_iam_deny_policy.own) == 0
    error_message = "Whoever deploys would be locked out."
  }
}

run "functions_elsewhere_keep_everything_here" {
  command = plan

  variables {
    store_members = ["principal://iam.googleapis.com/projects/111122223333/locations/global/workloadIdentityPools/landfall/subject/arn:aws:iam::111111111111:role/landfall-controller"]
  }

  assert {
    condition     = length(google_storage_bucket_iam_member.writes) == 2 && alltrue([for grant in google_storage_bucket_iam_member.writes : strcontains(grant.condition[0].expression, "/objects/store/")])
    error_message = "Somebody could put a bundle in the place of the one that is followed."
  }
}

run "budgets_and_links_are_granted_on_billing_accounts" {
  command = plan

  variables {
    billing_accounts = ["01AB23-45CD67-89EF01", "02AB23-45CD67-89EF01"]
  }

  assert {
    condition = { for name, grant in google_billing_account_iam_member.billing : name => grant.member } == {
      for pair in setproduct(
        ["01AB23-45CD67-89EF01", "02AB23-45CD67-89EF01"],
        ["read roles/billing.viewer", "write roles/billing.costsManager", "write roles/billing.user"]
      ) : "${pair[0]} ${pair[1]}" => "serviceAccount:landfall-${split(" ", pair[1])[0]}@acme-landfall.iam.gserviceaccount.com"
    }
    error_message = "The grants on billing accounts are others."
  }
}

run "somebody_is_told" {
  command = plan

  variables {
    alert_emails          = ["ops@acme.example"]
    notification_channels = ["projects/acme-landfall/notificationChannels/1"]
    missed_sweep_hours    = 5
  }

  assert {
    condition = alltrue([
      for policy in [
        google_monitoring_alert_policy.missed_sweep,
        google_monitoring_alert_policy.another_silent,
        google_monitoring_alert_policy.dead_letters,
        google_monitoring_alert_policy.failed_requests,
      ] : length(policy.notification_channels) == 2 && contains(policy.notification_channels, "projects/acme-landfall/notificationChannels/1")
    ])
    error_message = "An alert tells nobody."
  }

  assert {
    condition     = alltrue([for condition in google_monitoring_alert_policy.missed_sweep.conditions : condition.condition_absent[0].duration == "18000s"])
    error_message = "A missed sweep is told of at another time."
  }

  assert {
    condition     = length(google_monitoring_alert_policy.missed_sweep.conditions) == 2
    error_message = "A sweep that began and one that closed are both waited for."
  }
}

run "two_of_them_side_by_side" {
  command = plan

  variables {
    name = "landfall-trial"
  }

  assert {
    condition = (
      google_service_account.identities["read"].account_id == "landfall-trial-read"
      && google_organization_iam_custom_role.roles["read"].role_id == "landfall_trial_read"
      && google_storage_bucket.store[0].name == "acme-landfall-landfall-trial"
      && google_logging_organization_sink.events.name == "landfall-trial-events"
    )
    error_message = "Both would be called the same."
  }
}
