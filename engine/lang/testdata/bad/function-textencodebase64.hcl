locals {
  a = textencodebase64("a", "utf-99") # ERROR: Argument "encoding" of textencodebase64() does not fit: "utf-99" is no character encoding
}
