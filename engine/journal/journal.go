// Package journal knows how the record of a run reaches the disk and stays there.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Events is the name of the file in a run's folder that holds its events, a JSON line each.
const Events = "events.jsonl"

// File is the journal of one run: RUN/events.jsonl below the folder of runs. It implements engine.Journal.
// An intent has reached the disk when Append returns; other events follow with the next intent, or at Close.
type File struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
}

// Open begins the journal of a run below the state folder. Both are for their owner only.
func Open(state, run string) (*File, error) {
	dir := filepath.Join(state, "runs", run)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the journal cannot be begun: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Events), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the journal cannot be begun: %w", err)
	}
	return &File{file: f, w: bufio.NewWriter(f)}, nil
}

// Path is where the events are.
func (f *File) Path() string { return f.file.Name() }

// Append implements engine.Journal.
func (f *File) Append(e engine.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if e.Kind == engine.EventIntent {
		return f.sync()
	}
	return nil
}

func (f *File) sync() error {
	if err := f.w.Flush(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Close writes what is left.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.sync(), f.file.Close())
}
