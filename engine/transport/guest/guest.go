// Package guest knows how commands run in a virtual machine through VMware Tools, asked by its vCenter: no network to
// the guest is needed, and none of its ports. A command is a program that writes into temporary files of the guest,
// which are fetched; vSphere knows no other way.
//
// Facts of vSphere are from the Web Services API (GuestProcessManager, GuestFileManager), those of VMware Tools from
// open-vm-tools 13.1 (services/plugins/vix/vixTools.c, lib/procMgr/procMgrPosix.c).
package guest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Transport is the transport "guest". It needs peers (engine.WithPeers): the vCenter's connection is shared with
// everybody else of the run, and so is its session.
type Transport struct{}

var (
	_ engine.Transport = Transport{}
	_ engine.Shell     = (*conn)(nil)
	_ engine.Needer    = (*Settings)(nil)
)

// Settings are the arguments of a connection "guest" block.
type Settings struct {
	VCenter  string        `hcl:"vcenter" doc:"Host of the inventory that is the vCenter: connection \"https\" of kind vsphere."`
	User     string        `hcl:"user,optional" doc:"Account in the guest, not of the vCenter: DOMAIN\\name, name@domain, or a local one."`
	Password engine.Secret `hcl:"password,optional" doc:"Password of the account. It is tried once, so that a wrong one does not lock the account."`

	UUID  string `hcl:"uuid,optional" doc:"Instance UUID or BIOS UUID of the virtual machine; the host's attribute uuid, then bios_uuid, as the source vsphere gives them."`
	Moref string `hcl:"moref,optional" doc:"Managed object id of the virtual machine (\"vm-17\"), instead of a UUID."`
	Name  string `hcl:"name,optional" doc:"Name of the virtual machine in the vCenter, instead of a UUID; without all three, that of the host."`
	OS    string `hcl:"os,optional" oneof:"windows linux" doc:"What runs in the guest; what VMware Tools say of it."`

	TransferCA          string `hcl:"transfer_ca,optional" doc:"PEM file of the authorities that are trusted for ESXi hosts, which hand the files over. Without it each has to show the certificate that the vCenter knows of it."`
	TransferFingerprint string `hcl:"transfer_fingerprint,optional" doc:"SHA-256 of the certificate with which files are handed over, in hex, colons allowed; every other one is refused."`

	AnswerTimeout string `hcl:"answer_timeout,optional" doc:"How long the vCenter may be silent. A command that runs meanwhile counts as lost then."`
	Poll          string `hcl:"poll,optional" doc:"How long after a command's start the vCenter is first asked whether it has ended. The pauses grow to 20 times that."`
	ToolsTimeout  string `hcl:"tools_timeout,optional" doc:"How long VMware Tools may be away while a command runs: during a vMotion, an update of Tools, a restart."`
}

// Settings returns *Settings.
func (Transport) Settings() any {
	return &Settings{AnswerTimeout: "30s", Poll: "100ms", ToolsTimeout: "3m"}
}

// Needs is the vCenter.
func (s *Settings) Needs() []engine.Need {
	return []engine.Need{{Arg: "vcenter", Host: s.VCenter, Written: true, Type: "https"}}
}

// Validate refuses settings that can never work, with a BadArg.
func (s *Settings) Validate() error {
	_, err := s.parse()
	return err
}

// parsed is Settings in the types of their use.
type parsed struct {
	pin                 []byte // SHA-256; nil: none
	answer, tools, poll time.Duration
}

func (s *Settings) parse() (p parsed, err error) {
	if p.answer, err = engine.DurationArg("answer_timeout", s.AnswerTimeout); err != nil {
		return p, err
	}
	if p.poll, err = engine.DurationArg("poll", s.Poll); err != nil {
		return p, err
	}
	if p.tools, err = engine.DurationArg("tools_timeout", s.ToolsTimeout); err != nil {
		return p, err
	}
	if s.TransferFingerprint != "" {
		if p.pin, err = pin(s.TransferFingerprint); err != nil {
			return p, err
		}
	}
	named := 0
	for _, text := range []string{s.UUID, s.Moref, s.Name} {
		if text != "" {
			named++
		}
	}
	switch {
	case s.User == "":
		return p, engine.BadArg{Arg: "user", Problem: "is missing: the account in the guest"}
	case s.Password.IsZero():
		return p, engine.BadArg{Arg: "password", Problem: "is missing"}
	case named > 1:
		return p, engine.BadArg{Arg: "uuid", Problem: "and moref and name exclude each other: each of them names the virtual machine"}
	case s.OS != "" && s.OS != "windows" && s.OS != "linux":
		return p, engine.BadArg{Arg: "os", Problem: `must be "windows" or "linux", not ` + strconv.Quote(s.OS)}
	case s.TransferCA != "" && s.TransferFingerprint != "":
		return p, engine.BadArg{Arg: "transfer_fingerprint", Problem: "and transfer_ca exclude each other: the fingerprint alone decides"}
	}
	return p, nil
}

// Open finds the machine, tries the account, and makes the directory for the temporary files of this connection, so that
// what is wrong with vCenter, power, VMware Tools, account or disk is said here.
func (Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	op := "reach " + h.Name + " through its vCenter"
	s, ok := h.Connection.Settings.(*Settings)
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: op, Msg: "the connection is not of type guest", Unreachable: true}
	}
	p, err := s.parse()
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: `read the settings of connection "guest"`, Err: err, Unreachable: true}
	}
	peers := engine.PeersOf(ctx)
	if peers == nil {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: op, Msg: "nobody gave the connection of the vCenter " + s.VCenter, Unreachable: true}
	}
	peer, err := peers.Conn(ctx, s.VCenter)
	if err != nil {
		return nil, ofCenter(s.VCenter, err)
	}
	api, ok := peer.(engine.API)
	if !ok || api.Kind() != "vsphere" && api.Kind() != "" {
		return nil, &engine.Error{Kind: engine.KindModule, Host: s.VCenter, Op: op, Msg: s.VCenter + " is no vCenter", Unreachable: true,
			Hint: `vcenter must name a host with a connection "https" of kind "vsphere"`}
	}
	conn, err := open(ctx, h, s, p, api)
	if err != nil {
		return nil, ofCenter(s.VCenter, err)
	}
	return conn, nil
}

// ofCenter says that what failed is the vCenter's, which is not the host that the user named. Other errors stay.
func ofCenter(name string, err error) error {
	var e *engine.Error
	if !errors.As(err, &e) || e.Host != name {
		return err
	}
	told := *e
	told.Op = "vCenter " + name + ": " + e.Op
	return &told
}
