# Infrastructure Manager runs Terraform up to 1.5.7 and takes no backend block
# (https://cloud.google.com/infrastructure-manager/docs/terraform), so nothing newer is used here, and where the state is kept is said
# where this is run. The provider is the one whose schema the tests check this against.
terraform {
  required_version = ">= 1.5.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = var.labels
}

data "google_project" "controller" {
  project_id = var.project
}
