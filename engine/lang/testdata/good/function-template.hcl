check "template" {
  condition     = trimspace(template("texts/motd.txt", { name = "you" })) == "Hello you"
  error_message = "no"
}
