playbook {
  description = ["x"]      # ERROR: "description" must be a string
  impact      = local.x    # ERROR: "impact" is evaluated when the playbook is loaded
  author      = "me"       # ERROR: There is no argument "author" in playbook.
}
locals {
  x = "y"
}
