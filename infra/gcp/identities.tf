# Who is who. Nobody has a key; each is impersonated, or acts for the one service that brings its token.
locals {
  identities = {
    function = "The function runs as this one: it keeps the store, leaves work in the queue and impersonates the next two"
    read     = "Plans are made with this one: it reads the whole organization"
    write    = "Changes are made with this one"
    events   = "Pub/Sub brings events as this one"
    schedule = "Cloud Scheduler starts sweeps as this one"
    tasks    = "Cloud Tasks brings work as this one"
  }

  member = { for who, account in google_service_account.identities : who => "serviceAccount:${account.email}" }
  email  = { for who, account in google_service_account.identities : who => account.email }

  # Google's own accounts in this project: https://cloud.google.com/iam/docs/service-agents
  agents = {
    pubsub    = "serviceAccount:service-${data.google_project.controller.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    scheduler = "serviceAccount:service-${data.google_project.controller.number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
    tasks     = "serviceAccount:service-${data.google_project.controller.number}@gcp-sa-cloudtasks.iam.gserviceaccount.com"
    asset     = "serviceAccount:service-${data.google_project.controller.number}@gcp-sa-cloudasset.iam.gserviceaccount.com"
    run       = "serviceAccount:service-${data.google_project.controller.number}@serverless-robot-prod.iam.gserviceaccount.com"
  }
}

resource "google_service_account" "identities" {
  for_each = local.identities

  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = "Landfall: ${each.key}"
  description  = each.value

  depends_on = [google_project_service.apis]
}

# The function becomes the reader or the writer, and nobody else does.
resource "google_service_account_iam_member" "impersonation" {
  for_each = toset(["read", "write"])

  service_account_id = google_service_account.identities[each.key].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.member["function"]
}

# Whoever leaves a task that brings an account's token has to be allowed to act as that account:
# https://cloud.google.com/tasks/docs/creating-http-target-tasks#token
resource "google_service_account_iam_member" "work" {
  service_account_id = google_service_account.identities["tasks"].name
  role               = "roles/iam.serviceAccountUser"
  member             = local.member["function"]
}

# Google's agents make the tokens that come along. Their roles on the project say so too where nobody took them away; this says it for the
# one account that each needs:
# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions#configure_for_push_authentication
# https://cloud.google.com/scheduler/docs/http-target-auth
# https://cloud.google.com/tasks/docs/creating-http-target-tasks#sa
resource "google_service_account_iam_member" "tokens" {
  for_each = { events = "pubsub", schedule = "scheduler", tasks = "tasks" }

  service_account_id = google_service_account.identities[each.key].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.agents[each.value]

  # An agent is there once its service is used.
  depends_on = [google_project_service.apis, google_pubsub_topic.events, google_cloud_tasks_queue.work]
}
