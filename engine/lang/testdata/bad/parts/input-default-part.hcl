probe "service" "now" {
  name = "x"
}
input "a" {
  default = input.b # ERROR: "default" cannot name anything
}
