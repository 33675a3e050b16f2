locals {
  a = template("../good/texts/motd.txt", {}) # ERROR: ../good/texts/motd.txt:1:9: Unknown variable; There is no variable named "name"
}
