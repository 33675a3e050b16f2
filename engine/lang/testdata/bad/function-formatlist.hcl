locals {
  a = formatlist("%s", ["a"]).first # ERROR: This is a list of string, which has no attributes. Read first of every element with [*].first or a for expression
}
