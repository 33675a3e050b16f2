package esxi_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/esxi"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) { moduletest.Run(t, esxi.Mux()) }
