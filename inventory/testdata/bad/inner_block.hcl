host "a" {
  conection "ssh" {}                   # ERROR: Did you mean "connection"?
}
group "g" {
  host "b" {}                          # ERROR: A group has connection and sudo blocks; "host" is none
}
