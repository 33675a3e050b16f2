hots "a" {}                            # ERROR: Did you mean "host"?
