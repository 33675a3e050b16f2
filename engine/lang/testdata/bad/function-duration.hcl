locals {
  a = duration("soon") # ERROR: "soon" is no duration; write it like "90s", "1h30m" or "7d"
}
