locals {
  a = timeadd("2024-02-29T12:00:00Z", "soon") # ERROR: time: invalid duration "soon"
}
