play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "a" {
    service = "x"
    tags = "x" # ERROR: "tags" must be a list of string, not string
  }
}
