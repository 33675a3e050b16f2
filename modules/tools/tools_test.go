package tools_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/tools"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) { moduletest.Run(t, tools.Module()) }
