include "./include-again.hcl" "again" {
}
