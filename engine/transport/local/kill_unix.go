//go:build unix

package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/processes"
)

// tree is everything that began with a leader, who has a session and a process group of his own.
type tree struct{ leader int }

// kill asks, then kills, and returns who is left.
func (t tree) kill(ctx context.Context) (left []int) {
	first, family := relatives(processes.Process{PID: t.leader}, nil)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(-t.leader, signal)
		for _, id := range processes.IDs(family) {
			_ = syscall.Kill(id, signal)
		}
		if family = waitGone(ctx, first, family); len(family) == 0 {
			return nil
		}
	}
	return processes.IDs(family)
}

func (t tree) release() {}

// waitGone returns who is left after the grace time.
func waitGone(ctx context.Context, leader processes.Process, family []processes.Process) []processes.Process {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for {
		if _, family = relatives(leader, family); len(family) == 0 {
			return nil
		}
		if engine.Wait(ctx, glance) != nil {
			return family
		}
	}
}

// relatives are the processes that belong to leader. Where there is no /proc, the process group stands for them.
func relatives(leader processes.Process, known []processes.Process) (processes.Process, []processes.Process) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	if len(files) == 0 {
		if errors.Is(syscall.Kill(-leader.PID, 0), syscall.ESRCH) {
			return leader, nil
		}
		return leader, []processes.Process{leader}
	}
	var text strings.Builder
	for _, file := range files {
		stat, _ := os.ReadFile(file) // it may have ended since
		text.Write(stat)
	}
	t := processes.Parse(text.String())
	if found, ok := t.All[leader.PID]; ok && leader.Start == 0 {
		leader = found
	}
	return leader, t.Family(leader, known)
}
