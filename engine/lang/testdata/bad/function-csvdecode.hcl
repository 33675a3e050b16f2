locals {
  a = csvdecode("a,a\n1,2\n") # ERROR: duplicate column name "a"
}
