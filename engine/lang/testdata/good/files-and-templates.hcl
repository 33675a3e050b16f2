locals {
  motd = file("texts/motd.txt")
  text = template("texts/motd.txt", { name = "you" })
}
play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = trimspace(template("texts/motd.txt", { name = self.name }))
  }
}
check "c" {
  condition     = startswith(local.motd, "Hello") && trimspace(local.text) == "Hello you"
  error_message = "x"
}
