locals {
  a = textdecodebase64("/w==", "UTF-8") # ERROR: the decoded bytes are no text in UTF-8
}
