probe "service" "now" {
  name = "x"
}
input "a" {
  description = ["x"] # ERROR: "description" must be a string, not tuple
}
