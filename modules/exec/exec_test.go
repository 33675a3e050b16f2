package exec_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/exec"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCommand(t *testing.T) { moduletest.Run(t, exec.Command()) }

func TestPowerShell(t *testing.T) { moduletest.Run(t, exec.PowerShell()) }

func TestShell(t *testing.T) { moduletest.Run(t, exec.Shell()) }
