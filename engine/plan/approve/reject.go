package approve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// RejectNamespace is what the signature of a rejection is made for.
const RejectNamespace = "dsplay-reject"

const rejected = ".rejected"

// Rejection is what stands in the file PLAN.rejected. It stops a plan whoever wrote it: a signature only tells who.
type Rejection struct {
	ID     string    `json:"id"` // of the plan
	Who    string    `json:"who"`
	When   time.Time `json:"when"`
	Reason string    `json:"reason"`
	File   string    `json:"-"`
}

func (r Rejection) String() string {
	return fmt.Sprintf("%s on %s: %s (%s)", r.Who, r.When.Format("2006-01-02 15:04 MST"), r.Reason, r.File)
}

// Reject writes the rejection of a plan beside its file, and with a key its signature beside that. That it was rejected
// before is an error that says by whom.
func Reject(file string, r Rejection, key Signer) (path string, err error) {
	path = file + rejected
	switch before, err := Rejected(file, r.ID); {
	case err != nil:
		return path, err
	case before != nil:
		return path, fmt.Errorf("the plan is rejected already, by %s", before)
	}
	r.When = r.When.UTC().Truncate(time.Second)
	text, err := json.Marshal(r)
	if err != nil {
		return path, err
	}
	text = append(text, '\n')
	var signature []byte
	if key != nil {
		if signature, err = Sign(text, key, RejectNamespace); err != nil {
			return path, err
		}
	}
	if err := replace(path, text); err != nil {
		return path, fmt.Errorf("write the rejection: %w", err)
	}
	if key != nil {
		if err := Write(path+suffix, signature); err != nil {
			return path, fmt.Errorf("the plan is rejected; write the signature of that: %w", err)
		}
	}
	return path, nil
}

// replace writes a rejection over one of a plan that had the same name before, and takes that one's signature away.
func replace(path string, text []byte) error {
	for _, old := range []string{path + suffix, path} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return Write(path, text)
}

// Rejected reads the rejection of a plan; nil: there is none. One of another plan, which had this name before, is none;
// one that cannot be read is an error, because it may be one.
func Rejected(file, id string) (*Rejection, error) {
	path := file + rejected
	text, _, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	r := Rejection{File: path}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, unreadable(path, err)
	}
	switch {
	case r.ID == "":
		return nil, unreadable(path, errors.New("it does not say of which plan it is"))
	case r.ID != id:
		return nil, nil
	}
	r.Who, r.Reason = Plain(r.Who), Plain(r.Reason)
	return &r, nil
}

func unreadable(path string, err error) error {
	return &Refused{why: fmt.Sprintf("%s may reject the plan, and cannot be read: %v", path, err)}
}
