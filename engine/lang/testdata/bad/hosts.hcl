play "a" {
  hosts        = "vm1" # ERROR: "hosts" takes a list of names
  max_failures = 0
}
play "b" {
  hosts = play.a.hosts # ERROR: "hosts" takes names, and these are objects.
}
play "c" {
  hosts = 5 # ERROR: "hosts" must be a list of string
}
play "d" {
  hosts = ["vm1", null] # ERROR: A name of a host must be a string, and not null.
}
