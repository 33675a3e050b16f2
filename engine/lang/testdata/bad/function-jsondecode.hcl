locals {
  a = jsondecode("{") # ERROR: the text ends before the JSON is complete
}
