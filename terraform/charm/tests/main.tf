# What main.tftest.hcl applies: the module as a plan of somebody else calls it.
terraform {
  required_version = ">= 1.6.6"

  required_providers {
    juju = {
      source  = "juju/juju"
      version = ">= 1.0, < 2.0"
    }
  }
}

variable "model_uuid" {
  description = "UUID of the model to deploy in."
  type        = string
}

module "image_builder" {
  source = "./.."

  app_name   = "image-builder"
  model_uuid = var.model_uuid

  config = {
    architecture = "amd64"
    base-image   = "noble,jammy"
  }
}

output "app_name" {
  value = module.image_builder.app_name
}

output "provides" {
  value = module.image_builder.provides
}

output "requires" {
  value = module.image_builder.requires
}
