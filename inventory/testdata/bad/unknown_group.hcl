group "guests" {}
host "a" {
  groups = [
    "guests",
    "gests",                           # ERROR: No group "gests" is declared. Did you mean "guests"?
  ]
}
host "b" {
  groups = concat(["guests"], ["esxi"])   # ERROR: No group "esxi" is declared
}
