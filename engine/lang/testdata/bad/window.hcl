play "p" {
  hosts  = group.guests
  window = "Sat 01:00-05:00" # ERROR: is no window: it is written
}
play "q" {
  hosts  = group.guests
  window = self.name # ERROR: Not known yet
}
