play "p" {
  hosts = group.guests
  include "parts/input-default-part.hcl" "i" {
  }
}
