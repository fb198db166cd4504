variable "app_name" {
  description = "Name of the application. Images, servers and key pairs in the clouds begin with it."
  type        = string
  default     = "github-runner-image-builder"
}

variable "base" {
  description = "Operating system of the unit's machine, such as ubuntu@22.04."
  type        = string
  default     = "ubuntu@22.04"
}

variable "channel" {
  description = "Channel to deploy the charm from."
  type        = string
  default     = "latest/stable"
}

variable "config" {
  description = "Options of the charm, as texts. The charm blocks without architecture and the openstack-* options."
  type        = map(string)
  default     = {}
}

variable "constraints" {
  description = "Constraints of the unit's machine, such as \"cores=2 mem=2G virt-type=virtual-machine\"."
  type        = string
  default     = ""
}

variable "model_uuid" {
  description = "UUID of the model to deploy in."
  type        = string
  nullable    = false
}

variable "revision" {
  description = "Revision of the charm; null takes the channel's newest."
  type        = number
  default     = null
}

variable "units" {
  description = "Number of units: the leader builds, the others publish the same and take over when it goes."
  type        = number
  default     = 1

  validation {
    condition     = var.units >= 1 && floor(var.units) == var.units
    error_message = "Set units to a whole number of at least 1."
  }
}
