package vsphere

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// GuestManagers are the objects that do guest operations in a vCenter.
type GuestManagers struct{ Auth, File, Process types.ManagedObjectReference }

// GuestOperations asks for them, once per connection.
func GuestOperations(ctx context.Context, api engine.API, c *vim25.Client) (GuestManagers, error) {
	x, err := api.Session(ctx, "guest operations", func(ctx context.Context) (any, func(context.Context) error, error) {
		if c.ServiceContent.GuestOperationsManager == nil {
			return nil, nil, errors.New("it has no guest operations: vSphere 5.0 is the first that has")
		}
		var m mo.GuestOperationsManager
		err := property.DefaultCollector(c).RetrieveOne(ctx, *c.ServiceContent.GuestOperationsManager, []string{"authManager", "fileManager", "processManager"}, &m)
		if err == nil && (m.AuthManager == nil || m.FileManager == nil || m.ProcessManager == nil) {
			err = &engine.Error{Kind: engine.KindProtocol, Op: "ask for guest operations", Msg: "the vCenter does not say who does them"}
		}
		if err != nil {
			return nil, nil, err
		}
		return GuestManagers{*m.AuthManager, *m.FileManager, *m.ProcessManager}, nil, nil
	})
	if err != nil {
		return GuestManagers{}, err
	}
	return x.(GuestManagers), nil
}

// Seat is an account in the guest of a machine, reached through VMware Tools.
type Seat struct {
	VM       VM
	User     string
	Password engine.Secret
}

func (s Seat) auth() *types.NamePasswordAuthentication {
	return &types.NamePasswordAuthentication{Username: s.User, Password: s.Password.Reveal()}
}

// Try tries the account, once per connection of the vCenter: a refusal stands, so that no account is locked by trying.
func (s Seat) Try(ctx context.Context, api engine.API) error {
	_, err := api.Session(ctx, "guest login "+s.VM.Ref+" "+s.User, func(ctx context.Context) (any, func(context.Context) error, error) {
		err := s.do(ctx, api, "log in to the guest "+s.VM.Name+" as "+s.User, func(ctx context.Context, c *vim25.Client, m GuestManagers) error {
			_, err := methods.ValidateCredentialsInGuest(ctx, c, &types.ValidateCredentialsInGuest{This: m.Auth, Vm: reference(s.VM.Ref), Auth: s.auth()})
			return err
		})
		return true, nil, err
	})
	return err
}

// do calls f, which must not change anything that a second call would change again.
func (s Seat) do(ctx context.Context, api engine.API, op string, f func(ctx context.Context, c *vim25.Client, m GuestManagers) error) error {
	var raw error
	err := Do(ctx, api, func(ctx context.Context, c *vim25.Client) error {
		m, err := GuestOperations(ctx, api, c)
		if err == nil {
			err = f(ctx, c, m)
		}
		raw = err
		return err
	})
	if err != nil && raw != nil && !fault.Is(raw, &types.NotAuthenticated{}) {
		err = s.explain(op, raw)
	}
	return err
}

// explain says what is wrong in the guest. The vCenter has answered, so it is not what could not be reached.
func (s Seat) explain(op string, err error) error {
	err = ExplainGuest(op, "", "", err)
	var e *engine.Error
	if errors.As(err, &e) && e.Host == "" && e.Kind != engine.KindLost {
		e.Unreachable = false
	}
	return err
}

// Program is one of the guest's files, with its arguments as VMware Tools take them: one text.
type Program struct{ Path, Arguments, Dir string }

// Starting is the request that starts a program. Its result is the process id. What the program writes is lost.
func (s Seat) Starting(api engine.API, p Program) Request {
	line := strings.TrimSpace(p.Path + " " + p.Arguments)
	if p.Dir != "" {
		line += " in " + p.Dir
	}
	return Request{text: fmt.Sprintf("StartProgramInGuest %s %s as %s (%s)", s.VM.Ref, line, s.User, s.VM.Name), explain: s.explain,
		send: func(ctx context.Context, c *vim25.Client) (answer, error) {
			m, err := GuestOperations(ctx, api, c)
			if err != nil {
				return answer{}, err
			}
			started, err := methods.StartProgramInGuest(ctx, c, &types.StartProgramInGuest{This: m.Process, Vm: reference(s.VM.Ref), Auth: s.auth(),
				Spec: &types.GuestProgramSpec{ProgramPath: p.Path, Arguments: p.Arguments, WorkingDirectory: p.Dir}})
			if err != nil {
				return answer{}, err
			}
			return answer{result: strconv.FormatInt(started.Returnval, 10)}, nil
		}}
}

// Process is a program of the guest. VMware Tools remember one that they started for five minutes after its end.
type Process struct {
	PID     int64
	Command string    // the program in quotes, a blank, the arguments
	Started time.Time // by the guest's clock
	Ended   bool
	Code    int
}

// Processes lists what runs in the guest, and what VMware Tools have started; with pids only those.
func (s Seat) Processes(ctx context.Context, api engine.API, pids ...int64) ([]Process, error) {
	var list []Process
	err := s.do(Asking(ctx), api, "look at the programs in the guest "+s.VM.Name, func(ctx context.Context, c *vim25.Client, m GuestManagers) error {
		list = nil
		found, err := methods.ListProcessesInGuest(ctx, c, &types.ListProcessesInGuest{This: m.Process, Vm: reference(s.VM.Ref), Auth: s.auth(), Pids: pids})
		if err != nil {
			return err
		}
		for _, x := range found.Returnval {
			list = append(list, Process{PID: x.Pid, Command: x.CmdLine, Started: x.StartTime, Ended: x.EndTime != nil, Code: int(x.ExitCode)})
		}
		return nil
	})
	return list, err
}
