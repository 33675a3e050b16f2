include "include-cycle.hcl" "cycle" { # ERROR: Include cycle: These files include each other: testdata/bad/include.hcl → testdata/bad/parts/include-cycle.hcl → testdata/bad/parts/include-again.hcl → testdata/bad/parts/include-cycle.hcl.
}
