package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const killTime = 15 * time.Second

// killLine ends the processes P, first politely, and succeeds when none is left. A zombie is dead.
const killLine = `P='%s'; alive() { for p in $P; do kill -0 $p && ! grep -q ') Z ' /proc/$p/stat && return 0; done 2>/dev/null; return 1; }
for s in TERM TERM KILL; do kill -$s $P 2>/dev/null; for i in 1 2; do alive || exit 0; sleep 1; done; done; ! alive`

// finishKill kills as root what the transport could not kill: processes that sudo had started. It changes err only
// when they are dead.
func (h *Host) finishKill(ctx context.Context, r call, err error) error {
	var survivors engine.Survivors
	var e *engine.Error
	if !r.sudo && r.other == nil || !errors.As(err, &survivors) || !errors.As(err, &e) || !e.Orphan {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	pids := strings.Trim(fmt.Sprint([]int(survivors)), "[]")
	kill, bad := posix(engine.Command{Shell: fmt.Sprintf(killLine, pids)}, h.options.Sudo)
	if bad != nil {
		return err
	}
	failed := h.use(ctx, func(shell engine.Shell) error { // a transport may want a new connection after an orphan
		out, failed := h.send(ctx, shell, kill, engine.Command{})
		if failed == nil && out.Code != 0 {
			failed = errors.New("they are still there")
		}
		return failed
	})
	if failed != nil {
		return err
	}
	dead := *e
	dead.Orphan = false
	return &dead
}
