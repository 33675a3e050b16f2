package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// past is what the runs of a state folder did since a time, as their journals tell; the run itself (its id) does not count.
// A record that cannot be read is an error: nobody knows what was done.
func past(state, self string, since time.Time) (*engine.Past, error) {
	out := &engine.Past{}
	dirs, err := os.ReadDir(filepath.Join(state, "runs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the records of earlier runs: %w", err)
	}
	for _, dir := range dirs {
		if dir.Name() == self {
			continue
		}
		path := filepath.Join(state, "runs", dir.Name(), journal.Events)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().Before(since) {
			continue
		}
		if err == nil {
			err = readPast(path, out)
		}
		if err != nil {
			return nil, fmt.Errorf("the record of run %s: %w", dir.Name(), err)
		}
	}
	return out, nil
}

// readPast adds what one run did.
func readPast(path string, out *engine.Past) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	playbook, tried := "", map[[2]string]bool{}
	for lines.Scan() {
		var e engine.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // a line that a crash cut: what was synced stands before it
		}
		at := [2]string{e.Host, e.Entry}
		switch {
		case e.Kind == engine.EventRunStart:
			playbook = e.Title
		case e.Kind == engine.EventIntent:
			host := e.Host
			if e.On != "" {
				host = e.On
			}
			out.Deeds = append(out.Deeds, engine.Deed{Run: e.Run, Time: e.Time, Host: host, Module: e.Module, Args: e.Args})
		case e.Kind == engine.EventAttempt && e.Pass == "apply" && e.Status == "started":
			tried[at] = true
		case e.Kind == engine.EventEntryEnd && tried[at]:
			delete(tried, at)
			out.Recoveries = append(out.Recoveries, engine.Recovery{Run: e.Run, Time: e.Time, Playbook: playbook, Host: e.Host, Entry: e.Entry,
				Failed: e.Status == string(engine.StatusFailed)})
		}
	}
	return lines.Err()
}
