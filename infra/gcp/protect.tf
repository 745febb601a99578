# The project can't be deleted, and nothing in it with it, until somebody takes this away on purpose. `protect-baseline` sets one of its own
# on projects that the manifest names; Landfall's need not be one of them.
# https://cloud.google.com/resource-manager/docs/project-liens
resource "google_resource_manager_lien" "project" {
  parent       = "projects/${data.google_project.controller.number}"
  origin       = "landfall.controller"
  reason       = "Landfall runs here and keeps its evidence here."
  restrictions = ["resourcemanager.projects.delete"]

  depends_on = [google_project_service.apis]
}
