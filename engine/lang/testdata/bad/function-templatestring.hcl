locals {
  a = templatestring("$${name}", {}) # ERROR: template:1:3: Unknown variable; There is no variable named "name"
}
