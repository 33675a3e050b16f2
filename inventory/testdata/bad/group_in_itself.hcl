group "a" { groups = ["b"] }
group "b" { groups = ["c"] }
group "c" { groups = ["a"] }           # ERROR: a → b → c → a
group "d" { groups = ["d"] }           # ERROR: d → d
