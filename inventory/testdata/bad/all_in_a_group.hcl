group "all" { groups = ["a"] }         # ERROR: so it is in none
group "a" {}
