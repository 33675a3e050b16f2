input "pid" {
  type = number
}
output "enough" {
  value = input.pid < 100
}
