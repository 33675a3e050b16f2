host "vc1" {
  cpus = [1]
}
source "estate" "vc1" {                # ERROR: The attribute "cpus" is of type number for the source "vc1", but of type list for the host "vc1"
  from = "vc1"
}
