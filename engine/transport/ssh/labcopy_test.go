//go:build lab

package ssh_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

const sftpOn = "Subsystem sftp internal-sftp"

// poor is a PATH with everything that a POSIX host has for files, but scp, and what knows SHA-256 only if it is named.
// It also keeps the rc file of this machine's root from loading half a world before each command.
func poor(t testing.TB, hash string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "dsplay-lab-bin-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq("sh cat ls stat readlink rm mkdir tee wc chown chgrp chmod mv ln cp id uname basename grep " + hash) {
		if err := os.Symlink("/bin/"+name, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return "SetEnv PATH=" + dir
}

// ways are what an sshd is given so that a large file takes this way, and the line that shows it.
func ways(t testing.TB) map[string]struct{ config, shows string } {
	return map[string]struct{ config, shows string }{
		"sftp":   {poor(t, "sha256sum openssl") + "\n" + sftpOn, "subsystem sftp: write "},
		"scp":    {poor(t, "sha256sum openssl scp"), "scp -t "},
		"stream": {poor(t, "sha256sum openssl"), "; cat >\"$t\"; "},
		"cat":    {poor(t, ""), "\ncat >"},
	}
}

// source is a file of random bytes.
func source(t testing.TB, size int) (string, engine.Content) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "source")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	random, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer random.Close()
	if _, err := io.CopyN(f, random, int64(size)); err != nil {
		t.Fatal(err)
	}
	content, err := engine.FileContent(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, content
}

func put(t testing.TB, h *machine.Host, u engine.Upload) ([]string, error) {
	t.Helper()
	lines, err := h.PutLines(t.Context(), u)
	if err != nil {
		return nil, err
	}
	return lines, h.Acting(lines).Put(t.Context(), u)
}

// only: nothing but these names is in the folder; a host may need a moment to notice that its client has gone.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	var names []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		names = nil
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if slices.Equal(names, want) {
			return
		}
	}
	t.Errorf("in the folder are %q, want %q", names, want)
}

// TestLabCopy: over each way there and back, over an old file, which keeps owner and mode.
func TestLabCopy(t *testing.T) {
	_, big := source(t, 9<<20+17)
	for name, way := range ways(t) {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, "127.0.21.31", way.config)
			key := s.authorize(t)
			h := s.host(t, "root", "ed25519", func(s *ssh.Settings) { s.Key = key })
			var mu sync.Mutex
			var ran []string
			host := machine.New(&redialer{open: func() engine.Shell { return open(t, h) }}, h, machine.Options{Ran: func(line string) {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, line)
			}})
			dir := t.TempDir()
			path := filepath.Join(dir, "the file")
			write(t, path, "old")
			if err := errors.Join(os.Chown(path, 1, 2), os.Chmod(path, 0o640)); err != nil {
				t.Fatal(err)
			}
			st, err := host.Stat(t.Context(), path)
			if err != nil || st.Mode != "0640" || st.UID != "1" || st.GID != "2" {
				t.Fatalf("%+v, %v", st, err)
			}
			lines, err := put(t, host, engine.Upload{Path: path, Content: big, Mode: st.Mode, Owner: st.Owner, Group: st.Group, Was: st})
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(lines, "\n"); !strings.Contains(all, way.shows) {
				t.Errorf("it goes another way:\n%s", all)
			}
			for _, line := range ran[slices.Index(ran, lines[1]):] {
				if !slices.Contains(lines, line) {
					t.Errorf("it ran and was not announced: %s", line)
				}
			}
			info, _ := os.Stat(path)
			owner := info.Sys().(*syscall.Stat_t)
			if info.Mode().Perm() != 0o640 || owner.Uid != 1 || owner.Gid != 2 {
				t.Errorf("%v %d %d", info.Mode(), owner.Uid, owner.Gid)
			}
			var back bytes.Buffer
			if now, err := host.Get(t.Context(), path, &back); err != nil || now.SHA256 != big.SHA256 && name != "cat" || hexSum(back.Bytes()) != big.SHA256 {
				t.Errorf("%+v, %d bytes, %v", now, back.Len(), err)
			}
			only(t, dir, "the file")
		})
	}
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TestLabCopyFails: a full disk, a read-only one and a missing right are told as what they are; the old file stays, and
// nothing stays beside it.
func TestLabCopyFails(t *testing.T) {
	_, big := source(t, 8<<20)
	full, locked := t.TempDir(), t.TempDir()
	mount := func(dir, options string) {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
			t.Fatal("the lab needs root: ", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
		write(t, filepath.Join(dir, "x"), "old")
	}
	mount(full, "size=2m,mode=0755")
	mount(locked, "size=2m,mode=0755")
	if err := syscall.Mount("", locked, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	addUser(t, "dsplaycopy", password, "/bin/sh")
	for name, way := range ways(t) {
		s := startSSHD(t, "127.0.21.32", way.config)
		key := s.authorize(t)
		on := func(user string) *machine.Host {
			h := s.host(t, user, "ed25519", func(s *ssh.Settings) { s.Key = key })
			return machine.New(&redialer{open: func() engine.Shell { return open(t, h) }}, h, machine.Options{})
		}
		for _, test := range []struct {
			what, user, dir string
			want            error
		}{{"full", "root", full, syscall.ENOSPC}, {"read-only", "root", locked, syscall.EROFS}, {"no right", "dsplaycopy", full, fs.ErrPermission}} {
			t.Run(name+", "+test.what, func(t *testing.T) {
				_, err := put(t, on(test.user), engine.Upload{Path: test.dir + "/x", Content: big, Mode: "0644"})
				if !errors.Is(err, test.want) || engine.HintOf(err) == "" {
					t.Errorf("%v (%s), want %v", err, engine.HintOf(err), test.want)
				}
				if got, _ := os.ReadFile(test.dir + "/x"); string(got) != "old" {
					t.Errorf("the old file has %d bytes", len(got))
				}
				only(t, test.dir, "x")
			})
		}
	}
}

// TestLabCopyCut: the link is cut in the middle. Over a new one it is found out that nothing was done, and nothing is left.
func TestLabCopyCut(t *testing.T) {
	_, big := source(t, 32<<20)
	for name, way := range ways(t) {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, "127.0.21.33", way.config)
			key := s.authorize(t)
			through := *s
			through.port = cutAfter(t, s, 6<<20)
			h := through.host(t, "root", "ed25519", func(s *ssh.Settings) { s.Key = key })
			host := machine.New(&redialer{open: func() engine.Shell { return open(t, h) }}, h, machine.Options{})
			dir := t.TempDir()
			write(t, dir+"/x", "old")
			u := engine.Upload{Path: dir + "/x", Content: big, Mode: "0644"}
			_, err := put(t, host, u)
			if err == nil || engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), "old file is untouched") {
				t.Errorf("%s %v (%s)", engine.KindOf(err), err, engine.HintOf(err))
			}
			if got, _ := os.ReadFile(dir + "/x"); string(got) != "old" {
				t.Errorf("the old file has %d bytes", len(got))
			}
			only(t, dir, "x")
			if _, err := put(t, host, u); err != nil {
				t.Errorf("a second time: %v", err)
			}
			only(t, dir, "x")
		})
	}
}

// cutAfter listens on another port and passes on what comes, until the first connection has sent so many bytes.
func cutAfter(t *testing.T, s *server, limit int64) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", s.address+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var cut atomic.Bool
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort(s.address, strconv.Itoa(s.port)))
			if err != nil {
				in.Close()
				continue
			}
			go func() { _, _ = io.Copy(in, out); in.Close() }()
			go func() {
				if cut.Load() {
					_, _ = io.Copy(out, in)
				} else if n, _ := io.CopyN(out, in, limit); n == limit {
					cut.Store(true)
				}
				in.Close()
				out.Close()
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// TestLabCopySudo: root's file in root's folder, through a sudo that asks; the way is one stream, whatever the size.
func TestLabCopySudo(t *testing.T) {
	connect := appliance(t)
	_, big := source(t, 5<<20)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var secrets engine.Secrets
	secret := engine.TextContent(secrets.Add("env:X", "s3cret\nlines"))
	for user, sudo := range map[string]*engine.Sudo{"dsplaysudo": {Password: engine.Plain(password)}, "dsplaynopw": {}} {
		for name, content := range map[string]engine.Content{"big": big, "secret": secret, "empty": engine.TextContent(engine.Plain(""))} {
			path := filepath.Join(dir, name+user)
			if _, err := put(t, connect(user, sudo), engine.Upload{Path: path, Content: content, Mode: "0600", Validate: "test -f %s"}); err != nil {
				t.Errorf("%s, %s: %v", user, name, err)
				continue
			}
			want, _ := content.Bytes()
			got, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %s: %d bytes, want %d, %v", user, name, len(got), len(want), err)
			}
		}
		if _, err := connect(user, nil).Get(t.Context(), filepath.Join(dir, "big"+user), io.Discard); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("without sudo: %v", err)
		}
		if _, err := connect(user, sudo).Get(t.Context(), filepath.Join(dir, "big"+user), io.Discard); err != nil {
			t.Errorf("with sudo: %v", err)
		}
	}
}

// TestLabCopyESXi: BusyBox with neither sftp nor scp.
func TestLabCopyESXi(t *testing.T) {
	_, big := source(t, 5<<20)
	root := busyboxRoot(t)
	for applet := range strings.FieldsSeq("chmod chown chgrp cp ln mv readlink stat tee sha256sum") {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	addUser(t, "dsplayesx", password, "/bin/sh", "-o", "-u", "0", "-M", "-d", "/dsplayesx")
	s := startSSHD(t, "127.0.21.34", "UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes",
		"Match User dsplayesx", "ChrootDirectory "+root)
	h := s.host(t, "dsplayesx", "rsa", func(s *ssh.Settings) { s.Password = engine.Plain(password) })
	host := machine.New(&redialer{open: func() engine.Shell { return open(t, h) }}, h, machine.Options{})
	for _, content := range []engine.Content{big, engine.TextContent(engine.Plain("small\n")), engine.TextContent(engine.Plain(""))} {
		lines, err := put(t, host, engine.Upload{Path: "/tmp/a file", Content: content, Mode: "0640"})
		if err != nil {
			t.Fatalf("%v: %q", err, lines)
		}
		want, _ := content.Bytes()
		if got, err := os.ReadFile(root + "/tmp/a file"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d, %v, by %q", len(got), len(want), err, lines)
		}
		if st, err := host.Stat(t.Context(), "/tmp/a file"); err != nil || st.Mode != "0640" || st.Size != content.Size || st.SHA256 != content.SHA256 {
			t.Errorf("%+v, %v", st, err)
		}
		var back bytes.Buffer
		if _, err := host.Get(t.Context(), "/tmp/a file", &back); err != nil || !bytes.Equal(back.Bytes(), want) {
			t.Errorf("%v", err)
		}
	}
	only(t, root+"/tmp", "a file")
}

// BenchmarkLabCopy gives the time of a copy of 100 MB, and the raw stream's share of it: the same bytes through
// "cat >file" over the same connection, taken in turns. On one machine nothing limits the stream but the processor, which
// the hash needs, too; over a link of 1 Gbit/s a host has time for it.
func BenchmarkLabCopy(b *testing.B) {
	file, big := source(b, 100_000_000)
	for name, way := range ways(b) {
		s := startSSHD(b, "127.0.21.35", way.config)
		key := s.authorize(b)
		for _, link := range []string{"", "1Gbit"} {
			b.Run(strings.TrimSuffix(name+"/"+link, "/"), func(b *testing.B) {
				through := *s
				if link != "" {
					through.port = gigabit(b, s)
				}
				h := through.host(b, "root", "ed25519", func(s *ssh.Settings) { s.Key, s.Keepalive = key, "15s" })
				compareCopy(b, open(b, h), h, file, big, name != "cat")
			})
		}
	}
}

// compareCopy reports the best of each: others use the machine, too. hashes: the host has openssl, so that the share can be told that
// a copy without comparing hashes would have.
func compareCopy(b *testing.B, shell engine.Shell, h *engine.Host, file string, big engine.Content, hashes bool) {
	b.Helper()
	host := machine.New(&redialer{conn: shell}, h, machine.Options{})
	dir := b.TempDir()
	raw, copied, hashed := time.Hour, time.Hour, time.Hour
	run := func(line string, stdin io.Reader) time.Duration {
		begin := time.Now()
		if code, err := shell.Exec(b.Context(), engine.Process{Line: line, Stdin: stdin}); err != nil || code != 0 {
			b.Fatal(code, err)
		}
		return time.Since(begin)
	}
	for b.Loop() {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		raw = min(raw, run("cat >"+dir+"/raw", f))
		f.Close()
		begin := time.Now()
		if _, err := put(b, host, engine.Upload{Path: dir + "/x", Content: big, Mode: "0644"}); err != nil {
			b.Fatal(err)
		}
		copied = min(copied, time.Since(begin))
		if hashes {
			hashed = min(hashed, run("openssl dgst -sha256 <"+dir+"/x", nil))
		}
	}
	b.ReportMetric(raw.Seconds()/copied.Seconds(), "share")
	if hashes {
		b.ReportMetric(raw.Seconds()/(copied-hashed).Seconds(), "share-unverified")
	}
	b.ReportMetric(100/copied.Seconds(), "MB/s")
	b.ReportMetric(100/raw.Seconds(), "raw-MB/s")
}

// gigabit leads to s with 125 MB a second in each direction.
func gigabit(b *testing.B, s *server) (port int) {
	b.Helper()
	listener, err := net.Listen("tcp", s.address+":0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	pace := func(to, from net.Conn) {
		data, free := make([]byte, 64<<10), time.Now()
		for {
			n, err := from.Read(data)
			if err != nil {
				break
			}
			if now := time.Now(); free.Before(now.Add(-time.Millisecond)) {
				free = now.Add(-time.Millisecond) // a buffer of so much
			}
			free = free.Add(time.Duration(n) * 8)
			time.Sleep(time.Until(free))
			if _, err := to.Write(data[:n]); err != nil {
				break
			}
		}
		to.Close()
		from.Close()
	}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort(s.address, strconv.Itoa(s.port)))
			if err != nil {
				in.Close()
				continue
			}
			go pace(in, out)
			go pace(out, in)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}
