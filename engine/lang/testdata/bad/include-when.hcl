play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "a" {
    service = "x"
    when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
  }
}
