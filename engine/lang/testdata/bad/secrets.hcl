variable "pin" {
  type      = string
  default   = "1234"
  sensitive = true
}
locals {
  password = secret("env:NOBODY_SETS_THIS")
  both     = { user = "x", password = local.password }
  list     = ["a", local.password]
}
check "file level" {
  condition     = local.password != "" # ERROR: A secret cannot be used here: "condition" decides
  error_message = "it is ${var.pin}"   # ERROR: A secret cannot be used here: "error_message" decides
}
play "p" {
  hosts = [var.pin]                    # ERROR: A secret cannot be used here: "hosts" decides
  probe "service" "a" {
    when = contains(local.list, "a")   # ERROR: A secret cannot be used here: "when" decides
    name = "x-${local.both.password}"  # ERROR: A secret cannot be used here: "name" takes no secret
  }
  step "login" "b" {
    user     = local.both.user
    password = local.both.password
  }
  step "login" "c" {
    user     = var.pin # ERROR: "user" takes no secret
    password = "${var.pin}-${local.password}"
    rule "x" {
      port = length(local.password) # ERROR: takes no secret
    }
  }
}
locals {
  a = [for x in ["a"] : x if x != local.password] # ERROR: The condition of a for expression decides
  b = { for x in local.list : x => 1 }            # ERROR: The key of a for expression decides
  c = [for x in local.list : 1]
}
