address = "192.0.2.1"                  # ERROR: stands outside of every block
