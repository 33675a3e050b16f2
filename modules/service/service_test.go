package service_test

import (
	"testing"

	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/service"
)

func TestCases(t *testing.T) { moduletest.Run(t, service.Module()) }
