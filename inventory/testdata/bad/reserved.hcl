host "a" {
  name       = "b"                     # ERROR: The name of a host is its label
  probe      = 1                       # ERROR: No attribute can be named "probe"
  step       = 1                       # ERROR: No attribute can be named "step"
  status     = "up"                    # ERROR: No attribute can be named "status"
  error      = "none"                  # ERROR: No attribute can be named "error"
  connection = "ssh"                   # ERROR: The name connection is reserved for a block
}
group "g" {
  address = "192.0.2.1"                # ERROR: An address belongs to a host
}
