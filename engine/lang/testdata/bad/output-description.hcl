play "p" {
  hosts = group.guests
  include "parts/output-description-part.hcl" "i" {
  }
}
