host "a" { address = "" }              # ERROR: must be a text that is not empty
host "b" { address = null }            # ERROR: must be a text that is not empty
host "c" { address = ["192.0.2.1"] }   # ERROR: must be a text that is not empty
host "d" { address = nothing }         # ERROR: Variables not allowed
