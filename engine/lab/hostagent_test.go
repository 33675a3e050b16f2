package lab

import (
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi"
	vimfault "github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
	"golang.org/x/crypto/ssh"
)

func (l *Lab) hostSystem(t *testing.T, c *govmomi.Client, name string) *object.HostSystem {
	t.Helper()
	h, err := find.NewFinder(c.Client).HostSystem(t.Context(), "/*/host/*/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (l *Lab) esxi(t *testing.T, name string) ESXiHost {
	t.Helper()
	for _, h := range l.World().ESXi {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no host %s", name)
	return ESXiHost{}
}

func service(t *testing.T, s *object.HostServiceSystem, key string) types.HostService {
	t.Helper()
	list, err := s.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Key == key {
			return x
		}
	}
	return types.HostService{}
}

func TestServicesOfAnESXiHost(t *testing.T) {
	l := start(t, Options{ESXi: 2, Guests: 1, Speed: fast, MuxListed: true})
	c := l.login(t)
	l.mustInject(t, "ssh-off", "esx2")
	s, err := l.hostSystem(t, c, "esx2").ConfigManager().ServiceSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ip, port := l.address(t, "esx2")
	if x := service(t, s, "TSM-SSH"); x.Running || x.Policy != "off" || !refused(ip, port) {
		t.Fatalf("ssh-off: %+v, refused %v", x, refused(ip, port))
	}
	if err := s.Stop(t.Context(), "TSM-SSH"); !vimfault.Is(err, &types.InvalidState{}) {
		t.Errorf("stop what does not run: %v", err)
	}
	if err := s.UpdatePolicy(t.Context(), "TSM-SSH", "on"); err != nil || !refused(ip, port) {
		t.Errorf("the policy alone starts nothing: %v", err)
	}
	if err := s.Start(t.Context(), "TSM-SSH"); err != nil || refused(ip, port) {
		t.Fatalf("start: %v; refused: %v", err, refused(ip, port))
	}
	if got := l.run(t, "esx2", "vmware -v"); !strings.Contains(got, "ESXi") {
		t.Errorf("on the same port: %q", got)
	}
	if err := s.Start(t.Context(), "TSM-SSH"); !vimfault.Is(err, &types.InvalidState{}) {
		t.Errorf("start what runs: %v", err)
	}
	if err := s.Start(t.Context(), "nothing"); !vimfault.Is(err, &types.NotFound{}) {
		t.Errorf("start what is not there: %v", err)
	}
	l.mustInject(t, "mux-stuck", "esx2")
	if l.engine(t, "guest2-1") != EngineOffline || !service(t, s, "nsx-context-mux").Running {
		t.Error("a stuck Mux runs, and protects nobody")
	}
	if err := s.Restart(t.Context(), "nsx-context-mux"); err != nil || l.engine(t, "guest2-1") != EngineOnline || l.esxi(t, "esx2").MuxRestarts != 1 {
		t.Errorf("restart the Mux through the vCenter: %v, %s", err, l.engine(t, "guest2-1"))
	}
	l.mustInject(t, "mux-hangs", "esx2")
	if err := s.Restart(t.Context(), "nsx-context-mux"); err == nil || service(t, s, "nsx-context-mux").Running {
		t.Errorf("a restart that hangs: %v", err)
	}
	l.mustInject(t, "vcenter-readonly", "")
	if err := s.Start(t.Context(), "nsx-context-mux"); !vimfault.Is(err, &types.NoPermission{}) {
		t.Errorf("without the privilege: %v", err)
	}
	want := []string{"StopService id=TSM-SSH (esx2)", "UpdateServicePolicy id=TSM-SSH policy=on (esx2)", "StartService id=TSM-SSH (esx2)", "StartService id=TSM-SSH (esx2)",
		"StartService id=nothing (esx2)", "RestartService id=nsx-context-mux (esx2)", "RestartService id=nsx-context-mux (esx2)", "StartService id=nsx-context-mux (esx2)"}
	if got := l.changes(t); !slices.Equal(got, want) {
		t.Errorf("received %q\nwant     %q", got, want)
	}
	if x, _ := l.hostSystem(t, c, "esx1").ConfigManager().ServiceSystem(t.Context()); !service(t, x, "TSM-SSH").Running {
		t.Error("another host has lost its service")
	}
	if err := l.Clear(); err != nil || !l.esxi(t, "esx2").SSH || l.engine(t, "guest2-1") != EngineOnline {
		t.Errorf("clear: %v, %+v", err, l.esxi(t, "esx2"))
	}
}

// changes are the mutating requests to the vCenter, without managed object ids.
func (l *Lab) changes(t *testing.T) (list []string) {
	t.Helper()
	for _, line := range l.mutating("vc1") {
		words := strings.Fields(line)
		list = append(list, strings.Join(slices.Delete(words, 1, 2), " "))
	}
	return list
}

func TestLockdownRefusesRootAndCounts(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: 1})
	c := l.login(t)
	l.mustInject(t, "lockdown", "esx1")
	host := l.hostSystem(t, c, "esx1")
	var props mo.HostSystem
	if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), host.Reference(), []string{"config.lockdownMode", "configManager.hostAccessManager"}, &props); err != nil || props.Config.LockdownMode != "lockdownNormal" {
		t.Fatalf("%v %+v", err, props.Config)
	}
	answer, err := methods.QueryLockdownExceptions(t.Context(), c.Client, &types.QueryLockdownExceptions{This: *props.ConfigManager.HostAccessManager})
	if err != nil || len(answer.Returnval) != 0 {
		t.Errorf("exceptions %v, %v", answer, err)
	}
	password := strings.TrimSpace(l.content(t, "secrets/esxi"))
	interactive := ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return slices.Repeat([]string{password}, len(questions)), nil
	})
	if _, err := l.dial(t, "esx1", "root"); err == nil {
		t.Error("root came in with a key")
	}
	for range lockFailures {
		if _, err := l.dial(t, "esx1", "root", interactive); err == nil {
			t.Error("root came in with a password")
		}
	}
	if h := l.esxi(t, "esx1"); !h.Lockdown || h.RefusedLogins != lockFailures+1 || !h.RootLocked {
		t.Errorf("%+v", h)
	}
	if _, err := methods.ChangeLockdownMode(t.Context(), c.Client, &types.ChangeLockdownMode{This: *props.ConfigManager.HostAccessManager, Mode: "lockdownDisabled"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.dial(t, "esx1", "root", interactive); err == nil {
		t.Error("the account was locked, and the password opens")
	}
	if client, err := l.dial(t, "esx1", "root"); err != nil {
		t.Error(err)
	} else {
		_ = client.Close()
	}
}

func TestSnapshotsOfMachinesAreTheirOwn(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: fast})
	c := l.login(t)
	take := func(guest, name string) types.ManagedObjectReference {
		task, err := l.vm(t, c, guest).CreateSnapshot(t.Context(), name, "", false, false)
		if err != nil {
			t.Fatal(err)
		}
		info, err := task.WaitForResult(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.Result.(types.ManagedObjectReference)
	}
	take("guest1-1", "one")
	ref := take("guest1-2", "two")
	take("guest1-2", "three")
	one, _ := l.World().Guest("guest1-1")
	two, _ := l.World().Guest("guest1-2")
	if !slices.Equal(one.Snapshots, []string{"one"}) || !slices.Equal(two.Snapshots, []string{"two", "three"}) {
		t.Fatalf("%q and %q", one.Snapshots, two.Snapshots)
	}
	answer, err := methods.RemoveSnapshot_Task(t.Context(), c.Client, &types.RemoveSnapshot_Task{This: ref})
	if err == nil {
		err = object.NewTask(c.Client, answer.Returnval).Wait(t.Context())
	}
	if two, _ := l.World().Guest("guest1-2"); err != nil || !slices.Equal(two.Snapshots, []string{"three"}) {
		t.Errorf("%q, %v", two.Snapshots, err)
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	if one, _ := l.World().Guest("guest1-1"); len(one.Snapshots) != 0 {
		t.Errorf("Clear leaves %q", one.Snapshots)
	}
	take("guest1-1", "four")
	if one, _ := l.World().Guest("guest1-1"); !slices.Equal(one.Snapshots, []string{"four"}) {
		t.Errorf("after Clear: %q", one.Snapshots)
	}
	want := []string{"CreateSnapshot_Task name=\"one\" description=\"\" memory=false quiesce=false (guest1-1)", "CreateSnapshot_Task name=\"two\" description=\"\" memory=false quiesce=false (guest1-2)",
		"CreateSnapshot_Task name=\"three\" description=\"\" memory=false quiesce=false (guest1-2)", "RemoveSnapshot_Task removeChildren=false",
		"CreateSnapshot_Task name=\"four\" description=\"\" memory=false quiesce=false (guest1-1)"}
	if got := l.changes(t); !slices.Equal(got, want) {
		t.Errorf("received %q", got)
	}
}
