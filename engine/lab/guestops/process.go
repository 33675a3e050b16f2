package guestops

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	remembered = 5 * time.Minute // after its end, of the guest's time
	least      = 5 * time.Second // of real time: who asks lives in it, however fast the lab's clock runs
	tick       = time.Second     // Tools look so often whether a program has ended
	longest    = 65536 - 5000    // bytes of a request to Tools: VIX_COMMAND_MAX_USER_INPUT_SIZE
)

// record is what Tools remember of a program that they started.
type record struct {
	Process
	ended bool
	known time.Time // when Tools notice the end
	end   time.Time
	code  int32
}

type processManager struct {
	mo.GuestProcessManager
	tools *Tools
}

// StartProgramInGuest starts a program, if its file is there.
func (m *processManager) StartProgramInGuest(ctx *simulator.Context, req *types.StartProgramInGuest) soap.HasFault {
	body := new(methods.StartProgramInGuestBody)
	s, fault := m.tools.enter(ctx, "StartProgramInGuest", req.Vm, req.Auth)
	spec := req.Spec.GetGuestProgramSpec()
	if size := len(spec.ProgramPath) + len(spec.Arguments) + len(spec.WorkingDirectory); fault == nil && size > longest {
		fault = new(types.GuestOperationsFault)
	}
	var pid int64
	if fault == nil {
		pid, fault = m.start(s, Program{Path: spec.ProgramPath, Arguments: spec.Arguments, Dir: spec.WorkingDirectory, Env: spec.EnvVariables})
	}
	if fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = &types.StartProgramInGuestResponse{Returnval: pid}
	return body
}

func (m *processManager) start(s seat, p Program) (int64, types.BaseMethodFault) {
	r := &record{Process: Process{Name: base(p.Path), Owner: s.user, Command: `"` + p.Path + `" ` + p.Arguments, Start: time.Now()}}
	pid, err := s.System.Start(s.user, p, func(code int32) { m.ended(s.Guest, r, code) })
	if err != nil {
		return 0, faultOf(err, p.Path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.PID = pid
	s.records[pid] = r
	return pid, nil
}

// ended notes the end of a program. Tools see it at their next look.
func (m *processManager) ended(g *Guest, r *record, code int32) {
	now, pause := time.Now(), m.tools.cfg.Clock.Real(tick)
	g.mu.Lock()
	defer g.mu.Unlock()
	looks := now.Sub(r.Start)/max(pause, 1) + 1
	r.ended, r.end, r.known, r.code = true, now, r.Start.Add(looks*pause), code
}

// ListProcessesInGuest tells of the programs that were started, and of everything else that runs.
func (m *processManager) ListProcessesInGuest(ctx *simulator.Context, req *types.ListProcessesInGuest) soap.HasFault {
	body := new(methods.ListProcessesInGuestBody)
	s, fault := m.tools.enter(ctx, "ListProcessesInGuest", req.Vm, req.Auth)
	if fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = &types.ListProcessesInGuestResponse{Returnval: m.list(s.Guest, req.Pids)}
	return body
}

func (m *processManager) list(g *Guest, pids []int64) []types.GuestProcessInfo {
	running, now := g.System.Processes(), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []types.GuestProcessInfo
	for pid, r := range g.records {
		if r.ended && now.Sub(r.end) > max(m.tools.cfg.Clock.Real(remembered), least) {
			delete(g.records, pid)
			continue
		}
		if wanted(pids, pid) {
			list = append(list, r.info(now))
		}
	}
	for _, p := range running {
		if g.records[p.PID] == nil && wanted(pids, p.PID) {
			list = append(list, (&record{Process: p}).info(now))
		}
	}
	return list
}

func wanted(pids []int64, pid int64) bool { return len(pids) == 0 || slices.Contains(pids, pid) }

func (r *record) info(now time.Time) types.GuestProcessInfo {
	i := types.GuestProcessInfo{Name: r.Name, Pid: r.PID, Owner: r.Owner, CmdLine: r.Command, StartTime: r.Start}
	if r.ended && !now.Before(r.known) {
		i.EndTime, i.ExitCode = types.NewTime(r.end), r.code
	}
	return i
}

// TerminateProcessInGuest ends one process.
func (m *processManager) TerminateProcessInGuest(ctx *simulator.Context, req *types.TerminateProcessInGuest) soap.HasFault {
	body := new(methods.TerminateProcessInGuestBody)
	s, fault := m.tools.enter(ctx, "TerminateProcessInGuest", req.Vm, req.Auth)
	if fault == nil {
		fault = m.terminate(s, req.Pid)
	}
	if fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = new(types.TerminateProcessInGuestResponse)
	return body
}

func (m *processManager) terminate(s seat, pid int64) types.BaseMethodFault {
	err := s.System.Kill(s.user, pid)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &types.GuestProcessNotFound{Pid: pid}
	case err != nil:
		return faultOf(err, "")
	}
	return nil
}
