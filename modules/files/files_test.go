package files_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/files"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) {
	moduletest.Run(t, files.Copy())
	moduletest.Run(t, files.Stat())
}
