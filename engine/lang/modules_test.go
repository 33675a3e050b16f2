package lang_test

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// The modules of the tests have arguments and results as the real ones, and do nothing.

type looks struct{}

func (looks) Probe(context.Context, engine.Reader) (any, error) { return nil, nil }

type acts struct{}

func (acts) Check(context.Context, engine.Reader) (engine.Diff, error) { return engine.Diff{}, nil }
func (acts) Apply(context.Context, engine.Machine, engine.Diff) (any, error) {
	return nil, nil
}

type vm struct {
	looks
	acts
	UUID  string `hcl:"uuid" executed:"true"`
	Power string `hcl:"power,optional" executed:"true" oneof:"on off"`
}

type vmResult struct {
	Found bool   `hcl:"found"`
	Awake bool   `hcl:"awake"`
	Power string `hcl:"power"`
	ESXi  string `hcl:"esxi"`
}

type dsComputer struct {
	looks
	BIOS string `hcl:"bios_uuid" executed:"true"`
}

type dsComputerResult struct {
	Agentless bool    `hcl:"agentless"`
	State     string  `hcl:"state"`
	AsOf      *string `hcl:"as_of"`
}

type dsComputers struct {
	looks
	BIOS []string `hcl:"bios_uuids" executed:"true"`
}

type dsComputersResult struct {
	Online  []string `hcl:"online"`
	Offline []string `hcl:"offline"`
	Unknown []string `hcl:"unknown"`
	AsOf    *string  `hcl:"as_of"`
}

type service struct {
	looks
	acts
	Name  string `hcl:"name" executed:"true"`
	State string `hcl:"state,optional" executed:"true" oneof:"started stopped restarted"`
	Note  string `hcl:"note,optional"`
}

func (s *service) Validate() error {
	if strings.Contains(s.Name, "/") {
		return engine.BadArg{Arg: "name", Problem: "must be a name and not a path"}
	}
	return nil
}

type serviceResult struct {
	Exists  bool `hcl:"exists"`
	Running bool `hcl:"running"`
	PID     *int `hcl:"pid"`
}

type esxiMux struct {
	acts
	Service string `hcl:"service,optional" executed:"true"`
	State   string `hcl:"state,optional" executed:"true" oneof:"restarted"`
}

type vmwareTools struct {
	looks
	acts
	Features []string `hcl:"features,optional" executed:"true"`
	Repair   bool     `hcl:"repair,optional" executed:"true"`
}

type vmwareToolsResult struct {
	Installed         bool `hcl:"installed"`
	FileIntrospection bool `hcl:"file_introspection"`
}

type reboot struct{ acts }

type login struct {
	looks
	acts
	User     string        `hcl:"user" executed:"true"`
	Password engine.Secret `hcl:"password,optional"`
	Retries  int           `hcl:"retries,optional"`
	Any      cty.Value     `hcl:"any,optional"`
	Rules    []loginRule   `hcl:"rule,block"`
}

type loginRule struct {
	Name string `hcl:"name,label"`
	Port int    `hcl:"port" executed:"true"`
}

type loginResult struct {
	Token engine.Secret     `hcl:"token"`
	Tags  map[string]string `hcl:"tags"`
	Disks []disk            `hcl:"disks"`
}

type disk struct {
	Path string `hcl:"path"`
	Free int    `hcl:"free"`
}

func testModules() []engine.Module {
	return []engine.Module{
		{Name: "vm", New: func() any { return &vm{} }, Result: vmResult{}},
		{Name: "ds_computer", New: func() any { return &dsComputer{} }, Result: dsComputerResult{}},
		{Name: "ds_computers", New: func() any { return &dsComputers{} }, Result: dsComputersResult{}},
		{Name: "service", New: func() any { return &service{} }, Result: serviceResult{}},
		{Name: "esxi_mux", New: func() any { return &esxiMux{Service: "auto"} }, Result: struct{}{}},
		{Name: "vmware_tools", New: func() any { return &vmwareTools{} }, Result: vmwareToolsResult{}},
		{Name: "reboot", New: func() any { return &reboot{} }, Result: struct{}{}},
		{Name: "login", New: func() any { return &login{} }, Result: loginResult{}},
	}
}

// testInventory has two guests on two ESXi hosts, with what manages them.
func testInventory() *engine.Inventory {
	inv := &engine.Inventory{
		Hosts:  map[string]*engine.Host{},
		Groups: map[string][]string{"guests": {"vm1", "vm2"}, "esxi": {"esx1", "esx2"}, "empty": {}},
		Attrs: map[string]cty.Type{"vcenter": cty.String, "dsm": cty.String, "dsva": cty.String, "uuid": cty.String, "bios_uuid": cty.String,
			"esxi": cty.String, "rack": cty.Number, "disks": cty.List(cty.String)},
	}
	add := func(name string, groups []string, attrs map[string]cty.Value) {
		inv.Hosts[name] = &engine.Host{Name: name, Address: name + ".example", Groups: groups, Attrs: attrs}
	}
	guest := func(name, esxi string) {
		add(name, []string{"guests"}, map[string]cty.Value{"vcenter": cty.StringVal("vc1"), "dsm": cty.StringVal("dsm1"),
			"uuid": cty.StringVal("u-" + name), "bios_uuid": cty.StringVal("b-" + name), "esxi": cty.StringVal(esxi)})
	}
	guest("vm1", "esx1")
	guest("vm2", "esx2")
	for _, name := range []string{"esx1", "esx2"} {
		add(name, []string{"esxi"}, map[string]cty.Value{"vcenter": cty.StringVal("vc1"), "dsm": cty.StringVal("dsm1"), "dsva": cty.StringVal("dsva-" + name)})
		add("dsva-"+name, nil, nil)
	}
	for _, name := range []string{"vc1", "dsm1", engine.Localhost} {
		add(name, nil, nil)
	}
	return inv
}
