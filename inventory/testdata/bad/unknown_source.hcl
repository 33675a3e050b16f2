host "vc1" {}
source "estat" "vc1" {                 # ERROR: There is no source "estat". Did you mean "estate"? Known are estate.
  from = "vc1"
}
