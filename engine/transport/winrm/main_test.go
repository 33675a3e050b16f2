package winrm_test

import (
	"flag"
	"os"
	"testing"
)

// afterAll undoes what several tests share.
var afterAll []func()

// TestMain lets more tests run at once than there are processors: most of them wait for a timeout.
func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if !set {
		_ = flag.Set("test.parallel", "8")
	}
	code := m.Run()
	for _, undo := range afterAll {
		undo()
	}
	os.Exit(code)
}
