package tools_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/tools"
)

func TestCases(t *testing.T) { moduletest.Run(t, tools.Module()) }
