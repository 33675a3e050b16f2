package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/modules/internal/await"
)

// VMExec runs a program in the guest of a virtual machine, through VMware Tools.
func VMExec() engine.Module {
	return engine.Module{
		Name: "vm_exec",
		Doc: `Runs a program in the guest of a virtual machine through VMware Tools, asked of its vCenter, and waits for its exit code.
The host that does it (on) is the vCenter; a machine is found as by the module vm. No network to the guest is needed, and no host in the inventory: it is for one act where SSH or WinRM is off, as restarting ds_agent on an appliance.
There is no shell, no standard input and no output: VMware Tools keep neither. Who needs them gives the guest a connection "guest" and uses command, service and the like, which do all of this through the same Tools.
arguments are one text, as VMware Tools take it: quoting is that of the guest. On Windows program is a whole path; cmd.exe /c and the like are written out.
The account is tried once per run while planning, so a wrong password locks nobody out. A program that is still running after wait is not killed: the error says so and names its process.
Tools remember a program for five minutes after its end: so long can be told whether one that was cut off ran. The guest's clock must agree to a minute for that.`,
		New:     func() any { return &vmExec{Wait: "10m", ExitCodes: []int{0}} },
		Result:  Ran{},
		Targets: []string{"vsphere"},
	}
}

type vmExec struct {
	UUID      string        `hcl:"uuid,optional" executed:"true" doc:"Instance UUID of the machine: config.instanceUuid in vCenter."`
	BIOSUUID  string        `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it."`
	Name      string        `hcl:"name,optional" executed:"true" doc:"Name of the machine in vCenter, exact; it may not be unique."`
	User      string        `hcl:"user" executed:"true" doc:"Account in the guest, not of the vCenter: DOMAIN\\name, or a local one."`
	Password  engine.Secret `hcl:"password" doc:"Password of the account."`
	Program   string        `hcl:"program" executed:"true" doc:"Whole path of the program in the guest."`
	Arguments string        `hcl:"arguments,optional" executed:"true" doc:"Its arguments, one text."`
	Dir       string        `hcl:"dir,optional" executed:"true" doc:"Working directory; that of the account unless said."`
	ExitCodes []int         `hcl:"exit_codes,optional" doc:"Exit codes that are no failure; 0 unless said."`
	Wait      string        `hcl:"wait,optional" doc:"How long it may run, like 10m."`

	seat    vsphere.Seat
	request vsphere.Request
	ended   bool
}

// Ran is what a program left.
type Ran struct {
	Code int `hcl:"code" doc:"Its exit code: of 32 bits with a sign on Windows; on Linux -1 when a signal ended it."`
	PID  int `hcl:"pid" doc:"Its process id in the guest."`
}

// Validate refuses a step that says of no machine, and what cannot be a program.
func (e *vmExec) Validate() error {
	d, err := time.ParseDuration(e.Wait)
	switch {
	case err != nil || d <= 0:
		return engine.BadArg{Arg: "wait", Problem: fmt.Sprintf("%q is not a duration like 10m", e.Wait)}
	case e.User == "":
		return engine.BadArg{Arg: "user", Problem: "must name an account in the guest"}
	case !strings.HasPrefix(e.Program, "/") && !strings.Contains(e.Program, `:\`):
		return engine.BadArg{Arg: "program", Problem: `must be a whole path, as /sbin/service or C:\Windows\System32\sc.exe`}
	case e.key() == machineKey{}:
		return engine.BadArg{Arg: "uuid", Problem: "or bios_uuid or name must say which machine is meant"}
	}
	return nil
}

func (e *vmExec) key() machineKey { return machineKey{e.UUID, e.BIOSUUID, e.Name} }

// Check tries the account, and announces the program.
func (e *vmExec) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	api, err := e.sit(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if err := e.seat.Try(ctx, api); err != nil {
		return engine.Diff{}, engine.Blame(err, host.Name())
	}
	e.request = e.seat.Starting(api, vsphere.Program{Path: e.Program, Arguments: e.Arguments, Dir: e.Dir})
	return engine.Diff{Act: "run " + e.Program + " in " + e.seat.VM.Name, Opaque: true, Commands: []string{e.request.String()}}, nil
}

// sit finds the machine.
func (e *vmExec) sit(ctx context.Context, host engine.Reader) (engine.API, error) {
	vm, err := e.key().must(ctx, host)
	if err != nil {
		return nil, err
	}
	e.seat = vsphere.Seat{VM: vm, User: e.User, Password: e.Password}
	return host.API(ctx)
}

// Apply starts the program once, and looks at the list of processes until it has ended.
func (e *vmExec) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	limit, err := time.ParseDuration(e.Wait)
	if err != nil {
		return nil, err
	}
	id, err := send(ctx, host, diff, e.request)
	if err != nil {
		return nil, err
	}
	pid, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, err
	}
	p, err := e.follow(ctx, host, pid, limit)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(e.ExitCodes, p.Code):
		return nil, &engine.Error{Kind: engine.KindExit, Host: host.Name(), Op: "run " + e.Program + " in " + e.seat.VM.Name, Msg: fmt.Sprintf("it ended with %d", p.Code),
			Hint: "what it said is lost; run it by hand, or over a connection \"guest\""}
	}
	e.ended = true
	return Ran{Code: p.Code, PID: int(pid)}, nil
}

func (e *vmExec) follow(ctx context.Context, host engine.Machine, pid int64, limit time.Duration) (p vsphere.Process, err error) {
	api, err := host.API(ctx)
	if err != nil {
		return p, err
	}
	op := fmt.Sprintf("wait for the process %d of %s", pid, e.seat.VM.Name)
	err = await.Soon(ctx, limit, lookFirst, lookEvery, func(ctx context.Context) (bool, error) {
		list, err := e.seat.Processes(ctx, api, pid)
		switch {
		case err != nil:
			return false, err
		case len(list) == 0:
			return false, &engine.Error{Kind: engine.KindModule, Op: op, Msg: "the guest does not know it any more: it was rebooted, or its VMware Tools were restarted", Hint: "look in the guest what it has done"}
		}
		p = list[0]
		return p.Ended, nil
	})
	if err != nil {
		return p, &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: op, Err: err, Hint: engine.HintOf(err), Orphan: engine.KindOf(err) != engine.KindModule}
	}
	return p, nil
}

// Prove shows that the program was started after since: in this execution, or by what VMware Tools remember.
func (e *vmExec) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	if e.ended {
		return nil
	}
	api, err := e.sit(ctx, host)
	if err != nil {
		return err
	}
	list, err := e.seat.Processes(ctx, api)
	if err != nil {
		return engine.Blame(err, host.Name())
	}
	line := strings.TrimSpace(`"` + e.Program + `" ` + e.Arguments)
	bad := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "run " + e.Program + " in " + e.seat.VM.Name,
		Msg: "VMware Tools know of no such program since then: it was not started, or ended more than five minutes ago", Hint: "look in the guest what it has done"}
	if time.Since(since) > 4*time.Minute { // what has ended may be forgotten
		bad.Err = engine.ErrUnprovable
	}
	for _, p := range list {
		switch {
		case strings.TrimSpace(p.Command) != line || p.Started.Before(since.Add(-time.Minute)):
			continue
		case !p.Ended:
			bad.Msg, bad.Hint, bad.Err = fmt.Sprintf("it still runs, as process %d", p.PID), "wait for it", engine.ErrUnprovable
		case !slices.Contains(e.ExitCodes, p.Code):
			bad.Kind, bad.Msg = engine.KindExit, fmt.Sprintf("it ended with %d", p.Code)
		default:
			return nil
		}
	}
	return bad
}
