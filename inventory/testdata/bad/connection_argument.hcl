group "empty" {                        # a group without hosts is checked, too
  connection "ssh" {
    prot = 22                          # ERROR: Did you mean "port"?
    port = "http"                      # ERROR: "port" does not fit: a number is required
    host_keys = "lax"                  # ERROR: must be one of strict, accept-new
  }
}
