# A key of one's own, where asked for: the agents of those services that encrypt with it may use it.
data "google_storage_project_service_account" "storage" {
  count = var.kms_key == "" ? 0 : 1

  project = var.project
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.kms_key == "" ? {} : {
    pubsub  = local.agents["pubsub"]
    run     = local.agents["run"]
    storage = "serviceAccount:${data.google_storage_project_service_account.storage[0].email_address}"
  }

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value

  depends_on = [google_project_service.apis]
}
