package services

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// facilities are the files by which a POSIX host shows how it keeps services; one round trip tells which exist.
// /run/systemd/system exists exactly where systemd is the running init (sd_booted(3)).
const facilities = `for f in /run/systemd/system /usr/sbin/service /sbin/service /sbin/chkconfig /usr/sbin/update-rc.d; do [ -e $f ] && echo $f; done; true`

// managerOf finds out how this host keeps services.
func managerOf(ctx context.Context, host engine.Reader, name string) (manager, error) {
	platform, err := host.Platform(ctx)
	if err != nil {
		return nil, err
	}
	switch platform {
	case engine.Windows:
		return &windows{name: name}, nil
	case engine.ESXi:
		return &esxi{name: name}, nil
	}
	found, err := host.Once(ctx, "service: facilities", func(ctx context.Context) (any, error) {
		out, err := host.Run(ctx, engine.Command{Shell: facilities, NoSudo: true})
		return strings.Fields(out.Stdout), err
	})
	if err != nil {
		return nil, err
	}
	return posixManager(host, name, found.([]string))
}

func posixManager(host engine.Reader, name string, found []string) (manager, error) {
	v := &sysv{name: name}
	for _, f := range found {
		switch {
		case f == "/run/systemd/system":
			return &systemd{name: name}, nil
		case strings.HasSuffix(f, "/service"):
			if v.service == "" {
				v.service = f
			}
		case v.enabler == "":
			v.enabler = f
		}
	}
	if v.service == "" {
		return nil, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "service", Msg: "the host has neither systemd nor the service command",
			Hint: "use a command step with the tool that this system has"}
	}
	return v, nil
}

// ticks is the unit of process start times in /proc: sysconf(_SC_CLK_TCK), 100 on every Linux platform in use.
const ticks = 100

// processAge reads the age of a process from /proc: both times count from the boot, so no clock is involved.
// nil: the host does not tell, or the process is gone.
func processAge(ctx context.Context, host engine.Reader, pid *int) (*time.Duration, error) {
	if pid == nil {
		return nil, nil
	}
	out, err := host.Run(ctx, engine.Command{Argv: []string{"cat", "/proc/uptime", "/proc/" + strconv.Itoa(*pid) + "/stat"}, AnyOK: true})
	if err != nil || out.Code != 0 {
		return nil, err
	}
	uptime, stat, _ := strings.Cut(out.Stdout, "\n")
	up, _, _ := strings.Cut(uptime, " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil {
		return nil, nil
	}
	_, rest, _ := strings.Cut(stat[strings.LastIndexByte(stat, ')')+1:], " ") // the name before may hold anything
	fields := strings.Fields(rest)                                            // from field 3 on, proc(5)
	if len(fields) < 20 {
		return nil, nil
	}
	start, err := strconv.ParseFloat(fields[19], 64) // field 22
	if err != nil {
		return nil, nil
	}
	age := time.Duration((seconds - start/ticks) * float64(time.Second))
	return &age, nil
}
