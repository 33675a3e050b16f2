check "title" {
  condition     = title("hello world") == "Hello World"
  error_message = "no"
}
