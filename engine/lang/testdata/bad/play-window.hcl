play "p" {
  hosts = group.guests
  window = "at night" # ERROR: "at night" is no window: it is written "Sat,Sun 01:00-05:00 Asia/Tokyo" (days, times, place)
  probe "service" "a" {
    name = "x"
  }
}
