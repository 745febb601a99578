# What is refused before anything is made.

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

run "names_that_are_none" {
  command = plan

  variables {
    organization     = "acme.example"
    project          = "111122223333"
    region           = "europe"
    public_keys      = "-----BEGIN PRIVATE KEY-----"
    name             = "landfall-of-the-whole-company"
    auth             = "none"
    ingress          = "all"
    console_callers  = ["user:ops@acme.example"]
    billing_accounts = ["main"]
    kms_key          = "landfall"
    deployers        = ["user:ada@acme.example"]
    log              = "warn"
    store_members    = ["principalSet://iam.googleapis.com/projects/111122223333/locations/global/workloadIdentityPools/landfall/*"]
    remote_store     = { store = "sqlite:store.db", bundle = "bundle.json", identity = "me" }
  }

  expect_failures = [
    var.organization,
    var.project,
    var.region,
    var.public_keys,
    var.name,
    var.auth,
    var.ingress,
    var.console_callers,
    var.billing_accounts,
    var.kms_key,
    var.deployers,
    var.log,
    var.store_members,
    var.remote_store,
  ]
}

run "numbers_that_are_too_small" {
  command = plan

  variables {
    timeout            = 20
    versions_days      = 1
    log_days           = 1
    missed_sweep_hours = 0
  }

  expect_failures = [var.timeout, var.versions_days, var.log_days, var.missed_sweep_hours]
}

run "longer_than_anybody_waits" {
  command = plan

  variables {
    timeout            = 3600
    missed_sweep_hours = 24
  }

  expect_failures = [var.timeout, var.missed_sweep_hours]
}

run "callers_that_nobody_would_look_at" {
  command = plan

  variables {
    auth            = "platform"
    console_callers = ["ops@acme.example"]
  }

  expect_failures = [google_cloud_run_v2_service.function]
}

run "more_work_than_the_instances_take" {
  command = plan

  variables {
    max_instances = 2
    concurrency   = 4
  }

  expect_failures = [google_cloud_run_v2_service.function]
}

run "a_permission_that_no_custom_role_can_hold" {
  command = plan

  override_data {
    target = data.google_iam_testable_permissions.unsupported
    values = {
      permissions = [
        { name = "resourcemanager.projects.move", title = "", custom_support_level = "NOT_SUPPORTED", stage = "GA", api_disabled = false },
      ]
    }
  }

  expect_failures = [google_organization_iam_custom_role.roles]
}
