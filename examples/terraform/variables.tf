variable "model_uuid" {
  description = "UUID of the model that everything is deployed in."
  type        = string
}

variable "openstack" {
  description = "Project that images are built in, and the user that builds."
  type = object({
    auth_url            = string
    user_name           = string
    user_domain_name    = string
    project_name        = string
    project_domain_name = string
  })
}

variable "openstack_password" {
  description = "Password of that user; give it as TF_VAR_openstack_password, and keep the state where only you can read it."
  type        = string
  sensitive   = true
}

variable "runners" {
  description = "Applications that get images, by their names: charms with the endpoint image, such as github-runner and garm-configurator."
  type = map(object({
    charm   = string
    channel = string
  }))
  default = {
    github-runner = {
      charm   = "github-runner"
      channel = "latest/stable"
    }
    garm-small = {
      charm   = "garm-configurator"
      channel = "latest/edge"
    }
  }
}

variable "runner_configs" {
  description = "Options of these applications, by their names; of github-runner path, token, openstack-clouds-yaml, openstack-flavor and openstack-network at the least."
  type        = map(map(string))
  default     = {}
  sensitive   = true
}
