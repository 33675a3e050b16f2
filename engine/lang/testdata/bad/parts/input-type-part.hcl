probe "service" "now" {
  name = "x"
}
input "a" {
  type = text # ERROR: The keyword "text" is not a valid type
}
