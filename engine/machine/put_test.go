//go:build unix

package machine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// here is the machine on which the test runs: its own /bin/sh, its own disk.
type here struct{ conn engine.Conn }

func (h *here) Get(context.Context, *engine.Host) (engine.Conn, error) { return h.conn, nil }
func (h *here) Discard(*engine.Host, engine.Conn)                      {}

func onThisMachine(t *testing.T, o machine.Options) *machine.Host {
	t.Helper()
	c, err := local.Transport{}.Open(t.Context(), &engine.Host{Name: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	return machine.New(&here{c}, &engine.Host{Name: "localhost"}, o)
}

// upload of a text with a mode, as a step would do it.
func upload(path, text string) engine.Upload {
	return engine.Upload{Path: path, Content: engine.TextContent(engine.Plain(text)), Mode: "0644"}
}

// put announces and does u.
func put(t *testing.T, h *machine.Host, u engine.Upload) ([]string, error) {
	t.Helper()
	lines, err := h.PutLines(t.Context(), u)
	if err != nil {
		return nil, err
	}
	return lines, h.Acting(lines).Put(t.Context(), u)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// clean: nothing but these names is in the folder.
func clean(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("in the folder are %q, want %q", names, want)
	}
}

func TestPut(t *testing.T) {
	dir := t.TempDir()
	h := onThisMachine(t, machine.Options{})
	binary := make([]byte, 3<<20)
	for i := range binary {
		binary[i] = byte(i * i >> 7)
	}
	for name, text := range map[string]string{"a.conf": "hello\n", "empty": "", "it's $(a) \"name\" %s*": "\x00\r\n\xff", "big": string(binary), "-rf": "x"} {
		path := filepath.Join(dir, name)
		for _, mode := range []string{"0600", "0755"} {
			u := upload(path, text)
			u.Mode = mode
			lines, err := put(t, h, u)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			if want := fmt.Sprintf("put %s %s sha256:%s mode %s", path, engine.SizeText(int64(len(text))), hexSum([]byte(text)), mode); lines[0] != want {
				t.Errorf("the plan says %q, want %q", lines[0], want)
			}
			got, err := os.ReadFile(path)
			info, _ := os.Stat(path)
			if err != nil || string(got) != text || fmt.Sprintf("%04o", info.Mode().Perm()) != mode {
				t.Errorf("%q: %d bytes, %v, %v", name, len(got), info.Mode(), err)
			}
			st, err := h.Stat(t.Context(), path)
			if err != nil || !st.Exists || st.Kind != "file" || st.Mode != mode || st.SHA256 != hexSum(got) || st.Size != int64(len(text)) || st.Owner == "" || st.Modified.IsZero() {
				t.Errorf("%q: %+v, %v", name, st, err)
			}
			var out bytes.Buffer
			if _, err := h.Get(t.Context(), path, &out); err != nil || out.String() != text {
				t.Errorf("%q comes back as %d bytes, %v", name, out.Len(), err)
			}
		}
	}
	clean(t, dir, "a.conf", "empty", "it's $(a) \"name\" %s*", "big", "-rf")
}

// TestPutOnlyWhatWasAnnounced: another content, another mode, another place is not in the envelope.
func TestPutOnlyWhatWasAnnounced(t *testing.T) {
	dir := t.TempDir()
	h := onThisMachine(t, machine.Options{})
	u := upload(filepath.Join(dir, "a"), "one")
	lines, err := h.PutLines(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	others := map[string]func(*engine.Upload){
		"content": func(u *engine.Upload) { u.Content = engine.TextContent(engine.Plain("two")) },
		"mode":    func(u *engine.Upload) { u.Mode = "4755" },
		"place":   func(u *engine.Upload) { u.Path += "2" },
		"owner":   func(u *engine.Upload) { u.Owner = "nobody" },
	}
	for name, change := range others {
		other := u
		change(&other)
		if err := h.Acting(lines).Put(t.Context(), other); err == nil || !strings.Contains(err.Error(), "envelope") {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for i := range lines {
		if err := h.Acting(slices.Delete(slices.Clone(lines), i, i+1)).Put(t.Context(), u); err == nil {
			t.Errorf("it needs no %q", lines[i])
		}
	}
	clean(t, dir)
}

// TestPutRefuses: every failure leaves the old file as it was, and nothing beside it.
func TestPutRefuses(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("old", "old")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(old, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	source := write("source", "planned")
	content, err := engine.FileContent(source)
	if err != nil {
		t.Fatal(err)
	}
	write("source", "CHANGED")
	in := func(name string) engine.Upload { return upload(filepath.Join(dir, name), "new") }
	for name, test := range map[string]struct {
		u    engine.Upload
		is   error
		says string
	}{
		"no folder":      {in("missing/x"), fs.ErrNotExist, "no such folder"},
		"a folder":       {in("folder"), nil, "something else than a file"},
		"a link":         {in("link"), nil, "it is a link"},
		"not valid":      {engine.Upload{Path: old, Content: content, Mode: "0600"}, nil, "another one than what was planned"},
		"validate":       {engine.Upload{Path: old, Content: in("").Content, Mode: "0600", Validate: "grep -q old %s # new"}, engine.ErrValidate, "does not like"},
		"unknown owner":  {engine.Upload{Path: old, Content: in("").Content, Owner: "no-such-user"}, nil, "owner"},
		"relative":       {upload("old", "new"), nil, "must start at the root"},
		"two lines":      {upload(old+"\nx", "new"), nil, "one line"},
		"not to a place": {upload(dir+"/", "new"), nil, "not of a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := put(t, onThisMachine(t, machine.Options{}), test.u)
			if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) || engine.HintOf(err) == "" && test.is != nil {
				t.Errorf("%v (%s)", err, engine.HintOf(err))
			}
			if got, _ := os.ReadFile(old); string(got) != "old" {
				t.Errorf("the old file is %q", got)
			}
			clean(t, dir, "old", "folder", "link", "source")
		})
	}
}

func TestPutValidatesAndKeeps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b")
	h := onThisMachine(t, machine.Options{})
	for i, text := range []string{"first\n", "second\n"} {
		u := upload(path, text)
		u.Validate = `grep -qE 'first|second' %s && [ "$(basename %s)" = 'a b' ]`
		if i > 0 {
			u.Backup = path + ".before"
		}
		if _, err := put(t, h, u); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path + ".before"); err != nil || string(got) != "first\n" {
		t.Errorf("the backup is %q, %v", got, err)
	}
	clean(t, dir, "a b", "a b.before")
}

// TestPutSecret: neither the value nor its hash nor its length is on any line.
func TestPutSecret(t *testing.T) {
	dir := t.TempDir()
	var secrets engine.Secrets
	secret := secrets.Add("env:TOKEN", "hunter2 and\nmore")
	var ran []string
	h := onThisMachine(t, machine.Options{Ran: func(line string) { ran = append(ran, line) }})
	u := engine.Upload{Path: filepath.Join(dir, "token"), Content: engine.TextContent(secret), Mode: "0600"}
	lines, err := put(t, h, u)
	if err != nil {
		t.Fatal(err)
	}
	if want := "put " + u.Path + " «secret: env:TOKEN» mode 0600"; lines[0] != want {
		t.Errorf("%q, want %q", lines[0], want)
	}
	for _, line := range append(ran, lines...) {
		for _, bad := range []string{"hunter2", hexSum([]byte(secret.Reveal()))[:16], fmt.Sprint(len(secret.Reveal())) + " bytes"} {
			if strings.Contains(line, bad) {
				t.Errorf("%q is on the line %q", bad, line)
			}
		}
	}
	if got, err := os.ReadFile(u.Path); err != nil || string(got) != secret.Reveal() {
		t.Errorf("%q, %v", got, err)
	}
}

// TestPutAfterAKill: what a killed run left is found by its name, and removed.
func TestPutAfterAKill(t *testing.T) {
	dir := t.TempDir()
	h := onThisMachine(t, machine.Options{})
	u := upload(filepath.Join(dir, "a"), "new")
	lines, err := h.PutLines(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	left := strings.TrimPrefix(lines[len(lines)-1], "rm -rf ")
	if err := os.MkdirAll(filepath.Join(left, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := h.Acting(lines).Put(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	clean(t, dir, "a")
}

func TestStat(t *testing.T) {
	dir := t.TempDir()
	h := onThisMachine(t, machine.Options{})
	file := filepath.Join(dir, "x")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("x", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("y", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("no/where", filepath.Join(dir, "lost")); err != nil {
		t.Fatal(err)
	}
	look := func(name string) engine.FileInfo {
		info, err := h.Stat(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return info
	}
	if i := look("link"); !i.Exists || !i.Link || i.Path != file || i.Mode != "0640" || i.Shared {
		t.Errorf("%+v", i)
	}
	if i := look("dangling"); i.Exists || !i.Link || i.Path != filepath.Join(dir, "y") {
		t.Errorf("%+v", i)
	}
	if i := look("nothing/at/all"); i.Exists || i.Link {
		t.Errorf("%+v", i)
	}
	if i, err := h.Stat(t.Context(), dir); err != nil || i.Kind != "directory" {
		t.Errorf("%+v, %v", i, err)
	}
	if i, err := h.Stat(t.Context(), "/dev/null"); err != nil || i.Kind != "other" || i.Size != 0 && i.SHA256 != "" {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := h.Stat(t.Context(), filepath.Join(dir, "lost")); err == nil || engine.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := h.Get(t.Context(), filepath.Join(dir, "none"), &bytes.Buffer{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// BenchmarkCopy is 100 MB on this machine, and the raw stream's share of its time: "cat >file" by the same transport.
func BenchmarkCopy(b *testing.B) {
	dir := b.TempDir()
	c, err := local.Transport{}.Open(b.Context(), &engine.Host{Name: "localhost"})
	if err != nil {
		b.Fatal(err)
	}
	shell := c.(engine.Shell)
	transporttest.CompareCopy(b, shell, engine.Upload{Path: dir + "/x", Mode: "0644"}, func(f *os.File) error {
		_, err := shell.Exec(b.Context(), engine.Process{Line: "cat >" + dir + "/raw", Stdin: f})
		return err
	})
}
