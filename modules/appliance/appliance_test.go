package appliance_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/appliance"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) { moduletest.Run(t, appliance.Agent()) }
