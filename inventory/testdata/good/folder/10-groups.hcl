group "g" { x = 1 }
