package transporttest

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// RandomFile makes a file of so many bytes on this machine, which nothing can compress.
func RandomFile(t testing.TB, size int) (file string, data []byte, content engine.Content) {
	t.Helper()
	data = make([]byte, size)
	_, _ = rand.Read(data) // it does not fail
	file = filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := engine.FileContent(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, data, content
}

// CompareCopy measures 100 MB (10 in short) as the module copy makes u of them, whose content it sets, and the same bytes by raw, the
// plainest way over the same connection. It reports the best of each, as others use the machine, too: both in MB/s, and
// raw's share of the copy's time.
func CompareCopy(b *testing.B, shell engine.Shell, u engine.Upload, raw func(f *os.File) error) {
	b.Helper()
	size := 100_000_000
	if testing.Short() {
		size /= 10
	}
	file, _, content := RandomFile(b, size)
	u.Content = content
	h := machine.New(pool{shell}, &engine.Host{Name: "host"}, machine.Options{})
	lines, err := h.PutLines(b.Context(), u)
	if err != nil {
		b.Fatal(err)
	}
	fastest, copied := time.Hour, time.Hour
	for b.Loop() {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := raw(f); err != nil {
			b.Fatal(err)
		}
		fastest = min(fastest, time.Since(begin))
		_ = f.Close()
		begin = time.Now()
		if err := h.Acting(lines).Put(b.Context(), u); err != nil {
			b.Fatal(err)
		}
		copied = min(copied, time.Since(begin))
	}
	b.ReportMetric(fastest.Seconds()/copied.Seconds(), "share")
	b.ReportMetric(float64(size)/1e6/copied.Seconds(), "MB/s")
	b.ReportMetric(float64(size)/1e6/fastest.Seconds(), "raw-MB/s")
}
