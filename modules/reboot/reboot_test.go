package reboot_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/reboot"
)

func TestCases(t *testing.T) { moduletest.Run(t, reboot.Module()) }
