terraform {} # ERROR: A playbook needs no settings block.
data "x" "y" {} # ERROR: Write probe "MODULE" "NAME".
output "x" {} # ERROR: The results of probes are in the report.
module "x" {} # ERROR: Write include
provider "x" {} # ERROR: stands in the inventory
play "p" {
  hosts = group.guests
  step "service" "a" {
    name       = "x"
    depends_on = [1] # ERROR: Entries run in the order
    lifecycle {} # ERROR: Entries run in the order
  }
}
locals {
  a = data.x.y # ERROR: Write probe.NAME.
}
