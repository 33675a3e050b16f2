locals {
  a = file("texts/absent.txt") # ERROR: there is no file texts/absent.txt
}
