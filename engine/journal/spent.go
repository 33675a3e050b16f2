package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Spent says that a plan was used up: a run has begun to change what it says.
type Spent struct {
	Plan string    `json:"plan"`
	Run  string    `json:"run"`
	When time.Time `json:"when"`

	torn string // the file, of which nothing can be read
}

func (s *Spent) Error() string {
	if s.torn != "" {
		return fmt.Sprintf("the plan counts as used up: a run was cut while it noted that (%s), before it changed anything; make a new plan, or run the playbook again", s.torn)
	}
	return fmt.Sprintf("the plan is used up: run %s began to apply it at %s", s.Run, s.When.Local().Format(time.DateTime))
}

// SpentBy tells which run has used a plan up, as far as this state folder knows; nil: none.
func SpentBy(state, plan string) (*Spent, error) {
	data, err := os.ReadFile(spentPath(state, plan))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no run is no error
	}
	if err != nil {
		return nil, fmt.Errorf("whether the plan is used up cannot be told: %w", err)
	}
	s := &Spent{}
	if err := json.Unmarshal(data, s); err != nil { // a crash while it was written
		return &Spent{Plan: plan, torn: spentPath(state, plan)}, nil
	}
	return s, nil
}

// Spend uses a plan up for a run, before its first change: it has reached the disk when Spend returns. Of two runs that
// try, one gets a *Spent error.
func Spend(state string, s Spent) error {
	path := spentPath(state, s.Plan)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the plan cannot be marked as used: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		by, err := SpentBy(state, s.Plan)
		if err != nil {
			return err
		}
		return by
	}
	if err != nil {
		return fmt.Errorf("the plan cannot be marked as used: %w", err)
	}
	err = json.NewEncoder(f).Encode(s)
	if err = errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path))); err != nil {
		_ = os.Remove(path) // nothing is changed under it now; err says more
		return fmt.Errorf("the plan cannot be marked as used: %w", err)
	}
	return nil
}

func spentPath(state, plan string) string {
	return filepath.Join(state, "plans", strings.TrimPrefix(plan, "sha256:")+".json")
}

// syncDir makes a new name in a folder durable. Windows lets nobody flush a folder; that FlushFileBuffers of the file
// brings its name to the disk, too, is what NTFS does, and not what Windows promises.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
