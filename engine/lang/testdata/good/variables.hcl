variable "text" {
  type        = string
  default     = "x"
  description = "a text"
}
variable "anything" {
  default = [1, "two", { three = 3 }]
}
variable "object" {
  type = object({
    name  = string
    port  = optional(number, 443)
    inner = optional(object({ a = optional(string, "z") }), {})
  })
  default = { name = "n" }
}
variable "map" {
  type    = map(list(number))
  default = { a = [1, 2] }
}
variable "nothing" {
  type    = string
  default = null
}
variable "checked" {
  type    = number
  default = 5
  validation {
    condition     = var.checked > 1 && var.checked < 10
    error_message = "must be between 1 and 10, not ${var.checked}"
  }
}
check "they are what they are" {
  condition = alltrue([
    var.text == "x",
    var.anything[2].three == 3,
    var.object.port == 443,
    var.object.inner.a == "z",
    sum(var.map["a"]) == 3,
    var.map.a[0] == 1,
    var.nothing == null,
    coalesce(var.nothing, "fallback") == "fallback",
    var.checked == 5,
  ])
  error_message = "no"
}
