variable "zone" {
  default = "Europe/Berlin"
}
play "p" {
  hosts  = group.guests
  window = "Mon-Fri,Sun 22:00-02:00 ${var.zone}"
  probe "service" "a" {
    name = "x"
  }
}
