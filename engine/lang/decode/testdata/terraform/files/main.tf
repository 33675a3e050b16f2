# What the expressions of the tables may name: terraform console runs in a copy of this folder.
locals {
  greeting = "Hello, $${name}!"
  items    = "%%{ for i in items ~}$${i};%%{ endfor ~}"
  number   = "$${n}"
  broken   = "$${"
  stranger = "$${nobody}"
}
