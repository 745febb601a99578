output "url" {
  description = "The function's address, and what tokens for it are made for."
  value       = local.url
}

output "bundle" {
  description = "Where the bundle goes; its statement lies beside it as bundle.statement.json."
  value       = local.bundle
}

output "store" {
  description = "Where everything is kept: `LANDFALL_STORE` for the command line."
  value       = local.store
}

output "queue" {
  description = "The queue's name."
  value       = google_cloud_tasks_queue.work.id
}

output "dead_letters" {
  description = "The subscription in which events wait that nobody could read."
  value       = google_pubsub_subscription.dead.id
}

output "manifest" {
  description = "What the manifest's cloud has to say of this deployment."
  value = {
    organization         = var.organization
    "controller-project" = var.project
    identities           = { read = local.email["read"], write = local.email["write"] }
  }
}
