//go:build unix

package local_test

import (
	"os/exec"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// atMinusOne is what the /bin/sh here makes of exit -1: dash and ash refuse it, bash takes 8 bits.
func atMinusOne(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "exit -1")
	_ = cmd.Run() // the code says it
	return cmd.ProcessState.ExitCode()
}

func TestTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Target{
		Open: func(t *testing.T) engine.Shell {
			conn, err := local.Transport{}.Open(t.Context(), &engine.Host{Name: engine.Localhost})
			if err != nil {
				t.Fatal(err)
			}
			return conn.(engine.Shell)
		},
		Codes: map[int]int{300: 44, -1: atMinusOne(t), 42: 42},
	})
}
