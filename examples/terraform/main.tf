resource "juju_secret" "password" {
  model_uuid = var.model_uuid
  name       = "image-builder-password"
  value      = { password = var.openstack_password }
}

resource "juju_access_secret" "password" {
  model_uuid   = var.model_uuid
  secret_id    = juju_secret.password.secret_id
  applications = [module.image_builder.app_name]
}

module "image_builder" {
  source = "../../terraform/charm"

  app_name    = "image-builder"
  model_uuid  = var.model_uuid
  constraints = "cores=2 mem=2G root-disk=20G virt-type=virtual-machine"

  config = {
    architecture                  = "amd64"
    base-image                    = "noble"
    openstack-auth-url            = var.openstack.auth_url
    openstack-user-name           = var.openstack.user_name
    openstack-user-domain-name    = var.openstack.user_domain_name
    openstack-project-name        = var.openstack.project_name
    openstack-project-domain-name = var.openstack.project_domain_name
    openstack-password-secret     = juju_secret.password.secret_uri
    schedule                      = "30 3 * * *"
    rebuild-on-release            = "true"
    revision-history-limit        = "3"
  }
}

resource "juju_application" "runners" {
  for_each = var.runners

  name       = each.key
  model_uuid = var.model_uuid
  config     = lookup(var.runner_configs, each.key, {})

  charm {
    name    = each.value.charm
    channel = each.value.channel
  }
}

resource "juju_integration" "runners" {
  for_each = juju_application.runners

  model_uuid = var.model_uuid

  application {
    name     = module.image_builder.app_name
    endpoint = module.image_builder.provides.github_runner_image_v0
  }

  application {
    name     = each.value.name
    endpoint = "image"
  }
}
