group "g" {}
host "a" { groups = "g" }              # ERROR: must be a list of names
host "b" { groups = [["g"]] }          # ERROR: must be a list of names
host "c" { groups = ["g", null] }      # ERROR: Null is not allowed
host "d" { groups = [missing] }        # ERROR: Variables not allowed
