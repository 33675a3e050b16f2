package reboot_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/reboot"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) { moduletest.Run(t, reboot.Module()) }
