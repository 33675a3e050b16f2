host "vc1" {}
group "guests" {}
source "estate" "one" {
  from   = "vc2"                       # ERROR: No host "vc2" is declared. Did you mean "vc1"?
  groups = { guests = "gests" }        # ERROR: No group "gests" is declared. Did you mean "guests"?
}
source "estate" "two" {}               # ERROR: The argument "from" is required
source "estate" "one" {                # ERROR: is declared at testdata/bad/source_arguments.hcl:3, too
  from = "vc1"
}
