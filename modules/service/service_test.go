package service_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/service"
	"github.com/dsplay/dsplay/modules/moduletest"
)

func TestCases(t *testing.T) { moduletest.Run(t, service.Module()) }
