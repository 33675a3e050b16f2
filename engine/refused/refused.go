// Package refused remembers on disk which passwords systems have refused, for some time, so that a job that runs every few
// minutes with a password that was changed meanwhile does not lock the account out.
//
// A file holds no password but its scrypt hash with a salt of its own, for which the costs are those of an interactive
// login; it is readable by its owner only. There is one per system and user, and only after a refusal.
package refused

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/scrypt"

	"github.com/dsplay/dsplay/engine"
)

// holds are for how long a password is not sent again after its first, second … refusal. So a job that comes again and again with
// a wrong password makes four failed logins in seven hours, and then one a week: ESXi locks root after 5 within 15 minutes, a
// DSM after 5 in a row.
var holds = []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 7 * 24 * time.Hour}

// Memory is a folder. The zero value has none, and remembers nothing.
type Memory struct {
	// Dir tells where it is; it is asked when something is looked up. An error means that nothing is remembered.
	Dir func() (string, error)
	Now func() time.Time

	mu sync.Mutex // of the files
}

// record is one file.
type record struct {
	Address string    `json:"address"`
	User    string    `json:"user"`
	At      time.Time `json:"at"`
	Times   int       `json:"times"` // in a row, of the same password
	Salt    []byte    `json:"salt"`
	Hash    []byte    `json:"hash"`
}

func (r record) until() time.Time {
	return r.At.Add(holds[min(max(r.Times, 1), len(holds))-1])
}

func (r record) fits(password engine.Secret) bool {
	hash, err := hashOf(r.Salt, password)
	return err == nil && subtle.ConstantTimeCompare(hash, r.Hash) == 1
}

func hashOf(salt []byte, password engine.Secret) ([]byte, error) {
	return scrypt.Key([]byte(password.Reveal()), salt, 1<<14, 8, 1, 32)
}

// Before implements engine.Refused.
func (m *Memory) Before(address, user string, password engine.Secret) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	file, err := m.file(address, user)
	if err != nil {
		return nil //nolint:nilerr // without a folder there is no memory
	}
	r, ok := read(file)
	if !ok || !m.Now().Before(r.until()) || !r.fits(password) {
		return nil
	}
	return &engine.Error{Kind: engine.KindAuth, Op: "log in to " + address,
		Msg: fmt.Sprintf("this password of %s was refused at %s by an earlier run; it is not sent again until %s, so as not to lock the account",
			user, r.At.Local().Format(time.DateTime), r.until().Local().Format(time.DateTime)),
		Hint: "another password is tried at once; if this one is right now, remove " + file}
}

// Note implements engine.Refused. What cannot be written is not remembered.
func (m *Memory) Note(address, user string, password engine.Secret, accepted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	file, err := m.file(address, user)
	if err != nil {
		return
	}
	before, known := read(file)
	switch {
	case accepted && known:
		_ = os.Remove(file) // who cannot remove it waits
		return
	case accepted:
		return
	}
	r := record{Address: address, User: user, At: m.Now(), Times: 1, Salt: make([]byte, 16)}
	if known && before.fits(password) {
		r.Times += before.Times
	}
	_, _ = rand.Read(r.Salt) // it never fails
	if r.Hash, err = hashOf(r.Salt, password); err == nil {
		_ = write(file, r)
	}
}

func (m *Memory) file(address, user string) (string, error) {
	if m.Dir == nil {
		return "", os.ErrNotExist
	}
	dir, err := m.Dir()
	sum := sha256.Sum256([]byte(address + "\x00" + user))
	return filepath.Join(dir, hex.EncodeToString(sum[:8])+".json"), err
}

func read(file string) (r record, ok bool) {
	text, err := os.ReadFile(file)
	return r, err == nil && json.Unmarshal(text, &r) == nil
}

// write puts a whole file in its place.
func write(file string, r record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".refused-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if end := f.Close(); err == nil {
		err = end
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
