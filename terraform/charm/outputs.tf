output "app_name" {
  description = "Name of the application."
  value       = juju_application.image_builder.name
}

output "provides" {
  description = "Endpoints that others integrate with, by their interfaces."
  value = {
    cos_agent              = "cos-agent"
    github_runner_image_v0 = "image"
  }
}

output "requires" {
  description = "Endpoints that need another application: none."
  value       = {}
}
