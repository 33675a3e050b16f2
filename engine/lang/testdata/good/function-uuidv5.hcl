check "uuidv5" {
  condition     = uuidv5("dns", "www.terraform.io") == "a5008fae-b28c-5ba5-96cd-82b4c53552d6"
  error_message = "no"
}
