host "a" {}
group "g" { rack = [1] }
