play "p" {
  hosts = group.guests
  include "parts/input-type-part.hcl" "i" {
    a = "x"
  }
}
