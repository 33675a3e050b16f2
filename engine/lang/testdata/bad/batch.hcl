variable "size" {
  default = "many"
}
play "a" {
  hosts        = group.guests
  batch        = 0      # ERROR: "batch" must be a whole number or a percentage
  max_failures = "101%" # ERROR: "max_failures" must be a whole number
}
play "b" {
  hosts        = group.guests
  batch        = [1, var.size]    # ERROR: "batch" must be a whole number
  max_failures = 1.5              # ERROR: "max_failures" must be a whole number
  parallel     = "a"              # ERROR: "parallel" must be a whole number
  batches      = 1                # ERROR: Did you mean "batch"?
}
play "c" {
  hosts        = group.guests
  batch        = [1, null]        # ERROR: "batch" must be a whole number
  max_failures = []               # ERROR: "max_failures" must be a whole number
  allow_empty  = 1                # ERROR: "allow_empty" must be a bool, not number.
}
