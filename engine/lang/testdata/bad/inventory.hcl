play "p" {
  hosts = group.guest # ERROR: The inventory has no group "guest". Did you mean "guests"?
  probe "service" "a" {
    on   = "vc2" # ERROR: The inventory has no host "vc2". Did you mean "vc1"?
    name = self.rakc # ERROR: Did you mean "rack"?
  }
  probe "service" "b" {
    on   = host["dms1"].name # ERROR: The inventory has no host "dms1". Did you mean "dsm1"?
    name = host["dsm1"].colour # ERROR: No host of the inventory has the attribute "colour".
  }
}
play "q" {
  hosts = ["vm1", "vm3"] # ERROR: The inventory has no host "vm3".
}
