probe "login" "l" {
  user = "x"
}
output "a" {
  value       = 1
  description = ["x"] # ERROR: string
}
