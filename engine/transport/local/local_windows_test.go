package local_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"golang.org/x/sys/windows"
)

// TestMain makes this test one of the commands that it runs: not every Windows (Wine) has findstr or a tasklist.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "helper" {
		os.Exit(helper(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

func helper(name string, args []string) int {
	switch name {
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "count":
		all, _ := io.ReadAll(os.Stdin)
		fmt.Println(strings.Count(string(all), "\n"))
	case "both":
		for i := range 2000 {
			fmt.Println("out", i+1)
			fmt.Fprintln(os.Stderr, "err", i+1)
		}
	case "flood":
		ended := make(chan struct{})
		go func() { fmt.Fprint(os.Stderr, strings.Repeat("e", 5_000_000)); close(ended) }()
		fmt.Print(strings.Repeat("o", 5_000_000))
		<-ended
	case "endless":
		fmt.Println(os.Getpid())
		for i := 0; ; i++ {
			if _, err := fmt.Println("line", i); err != nil {
				return 1
			}
		}
	case "env":
		for _, name := range args {
			fmt.Print(os.Getenv(name), "\x00")
		}
	case "big":
		fmt.Print(strings.Repeat("x", 10_000_000))
	case "raw":
		_, _ = os.Stdout.Write([]byte{0xff, 0xfe, 0, 0x80, '\n'})
	case "args":
		fmt.Print(strings.Join(append(args, ""), "\x00"))
	case "parent": // whose child outlives it, unless all of the tree is killed
		child := exec.Command(os.Args[0], "helper", "sleep")
		if err := child.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(os.Getpid(), child.Process.Pid)
		time.Sleep(5 * time.Minute)
	case "background":
		child := exec.Command(os.Args[0], "helper", "hold")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println("started")
	case "hold":
		time.Sleep(20 * time.Second)
	case "sleep":
		time.Sleep(5 * time.Minute)
	case "alive":
		return alive(args[0])
	}
	return 0
}

func alive(pid string) int {
	id, _ := strconv.Atoi(pid)
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(id))
	if err != nil {
		return 1
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if event, err := windows.WaitForSingleObject(h, 0); err != nil || event == windows.WAIT_OBJECT_0 {
		return 1
	}
	return 0
}

func TestTransport(t *testing.T) {
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var lacks map[string]string
	var changes func(string) bool
	if isWine() {
		lacks, changes = transporttest.WineLacks(), transporttest.WineChanges
	}
	do := func(name string) string { return `"` + me + `" helper ` + name }
	transporttest.Run(t, transporttest.Target{
		Windows: true, Lacks: lacks, Changes: changes, Slow: isWine(), Many: 200,
		Open: func(t *testing.T) engine.Shell {
			conn, err := local.Transport{}.Open(t.Context(), &engine.Host{Name: engine.Localhost})
			if err != nil {
				t.Fatal(err)
			}
			if isWine() {
				return stumbling{conn.(engine.Shell)}
			}
			return conn.(engine.Shell)
		},
		Codes: map[int]int{300: 300, 1060: 1060, -1: -1, -1073741819: -1073741819},
		Commands: transporttest.Commands{
			Cat: do("cat"), Count: do("count"), Big: do("big"), Raw: do("raw"), Both: do("both"), Flood: do("flood"), Endless: do("endless"), Env: []string{me, "helper", "env"}, Sleep: do("parent"), Background: do("background"),
			Alive: func(pid string) string { return do("alive " + pid) }, Args: []string{me, "helper", "args"},
		},
	})
}

// stumbling is a shell on Wine 8.0, whose CreateProcess fails now and then, where there is much to do, with ERROR_INTERNAL_ERROR. Nothing
// was started then, and it is tried once more.
type stumbling struct{ engine.Shell }

func (s stumbling) Exec(ctx context.Context, p engine.Process) (code int, err error) {
	for range 3 {
		code, err = s.Shell.Exec(ctx, p)
		if err == nil || !strings.Contains(err.Error(), "fork/exec") || !strings.Contains(err.Error(), "Internal error") {
			break
		}
	}
	return code, err
}

// isWine: Wine's ntdll has one function more, for programs that want to know.
func isWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
