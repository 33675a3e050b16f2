locals {
  a = file("../good/texts/motd.txt")
  b = file("../good/texts/mtd.txt") # ERROR: mtd.txt
  c = template("../good/texts/motd.txt", 5) # ERROR: an object or map is required
}
play "p" {
  hosts = group.guests
  step "login" "a" {
    user = file("nothing") # ERROR: nothing
  }
}
