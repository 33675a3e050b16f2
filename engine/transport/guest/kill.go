package guest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/processes"
)

// killTime is for everything that a kill does: up to four programs, each of which VMware Tools need a second to miss.
const killTime = 20 * time.Second

const taskkill = `C:\Windows\System32\taskkill.exe`

// abandon kills the command, hands on what it had said, and cleans up. dead is false where its death was not confirmed.
func (r *run) abandon() (dead bool, left engine.Survivors) {
	ctx, cancel := context.WithTimeout(r.base, min(killTime, 2*r.patient))
	defer cancel()
	if r.windows {
		dead = r.killWindows(ctx)
	} else {
		dead, left = r.killLinux(ctx)
	}
	r.watch.forget(r.watched)
	if dead {
		_ = r.fetch(ctx) // for who wants to know how far it came; not all of it may be there
	}
	r.clean()
	return dead, left
}

// killWindows ends the process and what it started. taskkill finds a child by the id of its parent, so one whose parent
// has ended already lives on.
func (r *run) killWindows(ctx context.Context) bool {
	code, err := r.aside(ctx, program{path: taskkill, arguments: "/f /t /pid " + strconv.FormatInt(r.pid, 10)})
	whole := err == nil && (code == 0 || code == 128) // 128: there is no such process
	if !whole {
		r.terminate(ctx) // the one at least
	}
	return r.ended(ctx) && whole
}

// killLinux ends the session of the command and its descendants, politely first. Where there is no /proc, or the command
// has not begun, the process that VMware Tools started is all that is known.
func (r *run) killLinux(ctx context.Context) (dead bool, left engine.Survivors) {
	leader, table, err := r.table(ctx, `echo "leader $(cat "$D/pid")"; cat /proc/[0-9]*/stat`)
	first, lives := table.All[leader]
	switch {
	case err != nil || len(table.All) == 0:
		r.terminate(ctx)
		return false, nil // it may have left others
	case leader == 0: // the command had not begun
		r.terminate(ctx)
		return r.ended(ctx), nil
	case !lives:
		first.PID = leader // it may have left others of its session
	}
	family := table.Family(first, nil)
	ids := strings.Trim(fmt.Sprint(processes.IDs(family)), "[]")
	_, after, err := r.table(ctx, fmt.Sprintf(`P='%s'; alive() { for p in $P; do [ -d /proc/$p ] && ! grep -q ') Z ' /proc/$p/stat && return 0; done; return 1; }
for s in TERM KILL; do kill -$s $P; for i in 1 2 3; do alive || break 2; sleep $((i/2)); done; done
cat /proc/[0-9]*/stat`, ids))
	if err != nil {
		return false, nil
	}
	if rest := after.Family(first, family); len(rest) > 0 {
		return false, processes.IDs(rest)
	}
	return r.ended(ctx), nil
}

// table runs a script that prints processes.
func (r *run) table(ctx context.Context, script string) (leader int, t processes.Table, err error) {
	file := r.file("ps")
	words := []string{"-c", "D='" + r.dir + "'; { " + script + "\n} >'" + file + "' 2>/dev/null"}
	for i, w := range words {
		words[i] = engine.QuoteSh(w)
	}
	if _, err = r.aside(ctx, program{path: "/bin/sh", arguments: strings.Join(words, " ")}); err != nil {
		return 0, t, err
	}
	text, err := r.files.read(ctx, r.conn, file)
	if line, rest, ok := bytes.Cut(text, []byte("\n")); ok && bytes.HasPrefix(line, []byte("leader ")) {
		leader, _ = strconv.Atoi(strings.TrimSpace(string(line[len("leader "):])))
		text = rest
	}
	return leader, processes.Parse(string(text)), err
}

// aside runs a program of our own, without a slot, and without a kill when it does not end.
func (r *run) aside(ctx context.Context, p program) (int, error) {
	pid, err := r.startProgram(ctx, p)
	if err != nil {
		return 0, err
	}
	w := r.watch.add(pid, p.arguments[max(0, strings.LastIndexByte(p.arguments, ' ')+1):])
	select {
	case e := <-w.ended:
		return e.code, e.err
	case <-ctx.Done():
		r.watch.forget(w)
		return 0, ctx.Err()
	}
}

func (r *run) terminate(ctx context.Context) {
	_ = r.do(ctx, "end a program in the guest", func(ctx context.Context, v *vim25.Client) error { // ended tells what came of it
		_, err := methods.TerminateProcessInGuest(ctx, v, &types.TerminateProcessInGuest{This: r.process, Vm: r.ref, Auth: r.login, Pid: r.pid})
		return err
	})
}

// ended tells whether the command is seen to have ended.
func (r *run) ended(ctx context.Context) bool {
	select {
	case e := <-r.watched.ended:
		return e.err == nil || !unanswered(e.err) && !away(e.err)
	case <-ctx.Done():
		return false
	}
}

// Upload makes the file path in the guest, or replaces it, with the size bytes of r.
func (c *conn) Upload(ctx context.Context, path string, r io.Reader, size int64) error {
	return c.files.write(ctx, c, path, r, size)
}

// Download writes the file path of the guest to w and returns how many bytes that were.
func (c *conn) Download(ctx context.Context, path string, w io.Writer) (int64, error) {
	return c.files.fetch(ctx, c, path, w)
}
