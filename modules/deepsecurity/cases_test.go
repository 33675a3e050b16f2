package deepsecurity_test

import (
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/deepsecurity"
	"github.com/dsplay/dsplay/modules/moduletest"
)

// TestScripts runs the case files of the modules that a case needs every single request of.
func TestScripts(t *testing.T) {
	for _, m := range []engine.Module{deepsecurity.UpdateSource(), deepsecurity.SecurityUpdate(), deepsecurity.Events(), deepsecurity.ClearErrors(), deepsecurity.SendPolicy()} {
		moduletest.Run(t, m)
	}
}
