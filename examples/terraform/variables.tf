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

variable "github_runner_config" {
  description = "Options of github-runner: path, token, openstack-clouds-yaml, openstack-flavor, openstack-network. Null deploys none."
  type        = map(string)
  default     = null
  sensitive   = true
}

variable "garm_configurator_config" {
  description = "Options of garm-configurator. Null deploys none."
  type        = map(string)
  default     = null
  sensitive   = true
}
