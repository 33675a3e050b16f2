host "a" { groups = ["g"] }
