input "o" {
  type = object({ port = number })
}
probe "service" "now" {
  name = input.o.prot # ERROR: Did you mean "port"?
}
