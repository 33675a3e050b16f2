play "p" {
  hosts = group.guests
  include "parts/output-value-part.hcl" "i" {
  }
}
