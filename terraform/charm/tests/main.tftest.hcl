# terraform -chdir=terraform/charm/tests test: needs no controller, since the provider is a stand-in.
mock_provider "juju" {}

variables {
  model_uuid = "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10"
}

run "deploys" {
  assert {
    condition     = output.app_name == "image-builder"
    error_message = "The output app_name is not the name that was asked for."
  }

  assert {
    condition     = output.provides.github_runner_image_v0 == "image"
    error_message = "The output provides does not name the endpoint of the interface github_runner_image_v0."
  }

  assert {
    condition     = length(output.requires) == 0
    error_message = "The output requires names an endpoint, but the charm needs none."
  }
}

run "refuses_no_units" {
  command = plan

  module {
    source = "./.."
  }

  variables {
    units = 0
  }

  expect_failures = [var.units]
}
