play "p" {
  hosts = group.guests
  include "parts/input-description-part.hcl" "i" {
    a = "x"
  }
}
