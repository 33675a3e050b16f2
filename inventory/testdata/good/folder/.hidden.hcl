host "hidden" {}
