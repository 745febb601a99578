variable "organization" {
  description = "The organization's number, as in the manifest's `organization`."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.organization))
    error_message = "The organization is its number, such as 123456789012: `gcloud organizations list` shows it."
  }
}

variable "project" {
  description = "Landfall's own project, which exists already: the manifest's `controller-project`. Nothing else should be in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project is its id, such as acme-landfall, and not its number."
  }
}

variable "region" {
  description = "Where the function, its queue, its schedule and, unless `store_location` says another, its store are."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region is one of Google Cloud's, such as europe-west1."
  }
}

variable "image" {
  description = "The container image of the function, best with its digest: REGION-docker.pkg.dev/PROJECT/REPOSITORY/landfall@sha256:…"
  type        = string
}

variable "public_keys" {
  description = "The keys that may vouch for a bundle, as `landfall keygen` printed them: `id=base64`, several with commas between them."
  type        = string

  validation {
    condition     = alltrue([for key in split(",", var.public_keys) : can(regex("^\\s*[^=,\\s]+=[A-Za-z0-9+/]+=*\\s*$", key))])
    error_message = "The keys look like id=base64: it is the public half that `landfall keygen` prints, never the file it writes."
  }
}

variable "name" {
  description = "What everything made here is called by. Another name makes another Landfall beside it."
  type        = string
  default     = "landfall"

  # Names of service accounts have at most 30 characters, and the longest ending is `-function`.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}[a-z0-9]$", var.name))
    error_message = "The name has 2 to 21 small letters, digits and hyphens, and begins with a letter."
  }
}

variable "cloud" {
  description = "The manifest's name of this organization, where the manifest has several on Google Cloud."
  type        = string
  default     = ""
}

variable "billing_accounts" {
  description = "The billing accounts that the manifest names, on which budgets and links to projects are made."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.billing_accounts : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", account))])
    error_message = "A billing account is its id, such as 01AB23-45CD67-89EF01."
  }
}

variable "auth" {
  description = "Who checks who calls. `oidc`: the function itself, by the token of whoever calls. `platform`: Cloud Run, and whoever may invoke the service may have everything done."
  type        = string
  default     = "oidc"

  validation {
    condition     = contains(["oidc", "platform"], var.auth)
    error_message = "Either `oidc` or `platform`."
  }
}

variable "console_callers" {
  description = "Mail addresses of those who may ask the function (`plan`, `status`, `explain`), with `auth = \"oidc\"` only."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for caller in var.console_callers : can(regex("^[^@:*\" ]+@[^@:*\" ]+\\.[^@:*\" ]+$", caller))])
    error_message = "These are mail addresses, without `user:` or `serviceAccount:` before them."
  }
}

variable "ingress" {
  description = "From where the service can be reached. Pub/Sub, Cloud Scheduler and Cloud Tasks of the same project count as internal; whoever asks from elsewhere needs INGRESS_TRAFFIC_ALL."
  type        = string
  default     = "INGRESS_TRAFFIC_INTERNAL_ONLY"

  validation {
    condition = contains(
      ["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"],
      var.ingress
    )
    error_message = "One of INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY, INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  }
}

variable "timeout" {
  description = "After how many seconds Cloud Run ends a request. A run is over fifteen seconds before."
  type        = number
  default     = 900

  # Shorter leaves no time for a run. Cloud Scheduler and Cloud Tasks wait half an hour at most, so that longer serves nobody.
  validation {
    condition     = var.timeout >= 30 && var.timeout <= 1800 && floor(var.timeout) == var.timeout
    error_message = "Whole seconds, from 30 to 1800."
  }
}

variable "max_instances" {
  description = "How many instances of the function there are at most."
  type        = number
  default     = 10
}

variable "concurrency" {
  description = "How many requests one instance takes at once."
  type        = number
  default     = 8
}

variable "memory" {
  description = "The memory of an instance."
  type        = string
  default     = "512Mi"
}

variable "max_concurrent_dispatches" {
  description = "How many targets are worked at once. The service's instances have to be able to take them."
  type        = number
  default     = 40
}

variable "schedule" {
  description = "When everything is looked at, as cron says it, in UTC. At the full hour everybody else's jobs run too."
  type        = string
  default     = "17 * * * *"
}

variable "asset_feed" {
  description = "Whether projects are also told of by an asset feed of the organization, beside the audit log."
  type        = bool
  default     = false
}

variable "store_location" {
  description = "Where the store is: a region, a dual-region or a multi-region. Nothing said: `region`."
  type        = string
  default     = ""
}

# The rights there are given there: infra/federation.md.
variable "remote_store" {
  description = "The store, where it is on another cloud and none is made here: `store` and `bundle` are addresses there, such as s3://bucket/store?region=eu-central-1, `identity` is as whom to come there, `audience` for whom the own token is made where that is not the usual one."
  type = object({
    store    = string
    bundle   = string
    identity = string
    audience = optional(string, "")
  })
  default = null

  validation {
    condition = var.remote_store == null || alltrue([
      for address in var.remote_store == null ? [] : [var.remote_store.store, var.remote_store.bundle] : can(regex("^(s3|az)://", address))
    ])
    error_message = "Both addresses begin with s3:// or az://."
  }
}

variable "store_members" {
  description = "Functions on other clouds that keep everything here too: principal://iam.googleapis.com/…/subject/…"
  type        = set(string)
  default     = []

  # A set of principals, or everybody of a pool, is more than one function.
  validation {
    condition     = alltrue([for member in var.store_members : can(regex("^(principal://iam\\.googleapis\\.com/.+/subject/.+|serviceAccount:.+)$", member))])
    error_message = "Each is one principal, by its subject, or one service account."
  }
}

variable "versions_days" {
  description = "For how many days what was overwritten or deleted in the store is kept."
  type        = number
  default     = 400

  validation {
    condition     = var.versions_days >= 30
    error_message = "At least 30 days: what was overwritten is evidence."
  }
}

variable "object_retention" {
  description = "Whether single objects of the store can be locked until a date. It can only be said when the bucket is made."
  type        = bool
  default     = false
}

variable "bundle_publishers" {
  description = "Who may put bundles into the bucket: `group:…`, `user:…`, `serviceAccount:…`."
  type        = set(string)
  default     = []
}

# Who is not named can neither upgrade nor take away what this makes, Terraform's own account included. What protect.tf says of Landfall's
# own writing account holds here too.
variable "deployers" {
  description = "Who may change what Landfall is made of, when nobody else is to: principal://goog/subject/ada@acme.example, principalSet://goog/group/platform@acme.example, principal://iam.googleapis.com/projects/-/serviceAccounts/deployer@acme-landfall.iam.gserviceaccount.com. Nobody said: whoever has rights in the project."
  type        = set(string)
  default     = []

  validation {
    condition = alltrue([for deployer in var.deployers : can(regex(
      "^(principal://goog/subject/|principalSet://goog/group/|principal://iam\\.googleapis\\.com/projects/-/serviceAccounts/)[^/@]+@[^/@]+$", deployer
    ))])
    error_message = "Each is a person, a group or a service account as deny policies write them, such as principal://goog/subject/ada@acme.example."
  }
}

variable "log_days" {
  description = "For how many days the project's logs are kept, the function's among them."
  type        = number
  default     = 400

  validation {
    condition     = var.log_days >= 30 && var.log_days <= 3650
    error_message = "From 30 to 3650 days."
  }
}

# Below `info` a sweep's end is not logged, and the alert that waits for it would cry wolf.
variable "log" {
  description = "How much the function logs: `info` or `debug`."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["info", "debug"], var.log)
    error_message = "Either `info` or `debug`."
  }
}

variable "alert_emails" {
  description = "Mail addresses that are told when a sweep is missed, a message is dead or requests fail."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Notification channels of Cloud Monitoring that exist already and are told likewise: projects/P/notificationChannels/N."
  type        = set(string)
  default     = []
}

# A metric can be found to be absent for at most 23 hours and a half: https://cloud.google.com/monitoring/alerts/types-of-conditions
variable "missed_sweep_hours" {
  description = "After how many hours without a sweep somebody is told."
  type        = number
  default     = 3

  validation {
    condition     = var.missed_sweep_hours >= 1 && var.missed_sweep_hours <= 23
    error_message = "From 1 to 23 hours."
  }
}

variable "failed_requests" {
  description = "More failed requests than these in a quarter of an hour, and somebody is told."
  type        = number
  default     = 5
}

variable "kms_key" {
  description = "A key of Cloud KMS to encrypt store, topics and function with: projects/P/locations/L/keyRings/R/cryptoKeys/K. Its location is that of `region` and of the store. Nothing said: Google's own keys."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key == "" || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "The key is its whole name, without a version."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the function. The store's bucket is never deleted by it."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels for everything that can have some."
  type        = map(string)
  default     = { app = "landfall" }
}
