# Two paths to the same parent are no disagreement; a child of both decides.
group "top" { x = 1 }
group "left" {
  groups = ["top"]
  x      = 2
}
group "right" {
  groups = ["top"]
  y      = 3
}
group "bottom" {
  groups = ["left", "right"]
}
group "other" {
  groups = ["left"]
  x      = 5
}
host "a" { groups = ["bottom"] }
host "b" { groups = ["other", "left", "right"] }
