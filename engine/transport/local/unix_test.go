//go:build unix

package local_test

import (
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

func TestTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Target{
		Open: func(t *testing.T) engine.Shell {
			conn, err := local.Transport{}.Open(t.Context(), &engine.Host{Name: engine.Localhost})
			if err != nil {
				t.Fatal(err)
			}
			return conn.(engine.Shell)
		},
		Codes: map[int]int{300: 44, 42: 42},
	})
}
