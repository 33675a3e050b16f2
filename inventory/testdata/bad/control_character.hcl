host "a\u0007b" {}                     # ERROR: no control character
