package machine

import (
	"context"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// tools are what a POSIX host has for files.
type tools struct {
	hash    string // reads stdin and prints the SHA-256 somewhere in its line; "": nothing does
	fast    string // the same for large files
	scp     bool
	selinux bool
}

// toolsQuestion is asked once per connection.
const toolsQuestion = `for c in sha256sum openssl sha256 shasum scp; do command -v $c >/dev/null 2>&1 && echo dsplay:$c; done; ` +
	`busybox sha256sum </dev/null >/dev/null 2>&1 && echo dsplay:busybox; [ -e /sys/fs/selinux/enforce ] && echo dsplay:selinux; :`

const (
	// openssl knows the processor's own instructions for SHA-256, which the program of coreutils often does not: it is about
	// four times as fast, and begins ten milliseconds later.
	openssl   = "openssl dgst -sha256"
	largeFile = 1 << 20
)

// hashers in the order of preference, and how each is called.
var hashers = []struct{ name, command string }{
	{"sha256sum", "sha256sum"}, {"openssl", openssl}, {"busybox", "busybox sha256sum"},
	{"shasum", "shasum -a 256"}, {"sha256", "sha256"},
}

type toolsKey struct{ conn engine.Conn }

func (h *Host) tools(ctx context.Context, shell engine.Shell) (tools, error) {
	value, err := h.options.Memo.ends.once(ctx, toolsKey{shell}, func(ctx context.Context) (any, error) {
		out, err := h.send(ctx, shell, call{line: toolsQuestion}, engine.Command{})
		if err != nil {
			return nil, err
		}
		found := strings.Fields(out.Stdout)
		has := func(name string) bool { return slices.Contains(found, "dsplay:"+name) }
		t := tools{scp: has("scp"), selinux: has("selinux")}
		for _, hasher := range hashers {
			if t.hash == "" && has(hasher.name) {
				t.hash = hasher.command
			}
		}
		if t.fast = t.hash; has("openssl") {
			t.fast = openssl
		}
		return t, nil
	})
	if err != nil {
		return tools{}, err
	}
	return value.(tools), nil
}

// more is what statPOSIX asks where the host can answer it.
func (t tools) more() string {
	text := ""
	if t.selinux {
		text += `echo "dsplay:label:$(ls -dZ "$r")"; `
	}
	if t.hash != "" {
		text += `[ -f "$r" ] && echo "dsplay:sha256:$(` + t.fast + ` <"$r")"; `
	}
	return text
}
