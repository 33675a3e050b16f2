host "a" {}
host "a" {}                            # ERROR: is declared at testdata/bad/twice.hcl:1, too
group "g" {}
group "g" {}                           # ERROR: is declared at testdata/bad/twice.hcl:3, too
