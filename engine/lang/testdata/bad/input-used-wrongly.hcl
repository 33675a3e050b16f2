play "p" {
  hosts = group.guests
  include "parts/input-used-wrongly-part.hcl" "i" {
    o = { port = 1 }
  }
}
