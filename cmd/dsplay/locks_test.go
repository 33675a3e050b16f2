package main

import (
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// Two inventories that name one machine meet when it can be known to be one; two machines do not.
func TestMachinesThatMeet(t *testing.T) {
	type settings struct {
		Port int `hcl:"port,optional" doc:"port"`
	}
	host := func(name, address, kind string, port int) *engine.Host {
		return &engine.Host{Name: name, Address: address, Connection: engine.Connection{Type: kind, Settings: &settings{port}}}
	}
	uuid := func(h *engine.Host, uuid string) *engine.Host {
		h.Attrs = map[string]cty.Value{"uuid": cty.StringVal(uuid)}
		return h
	}
	for name, tt := range map[string]struct {
		a, b     *engine.Host
		ida, idb string
		meet     bool
	}{
		"one address":                     {host("x", "192.0.2.1", "ssh", 22), host("y", "192.0.2.1", "winrm", 5986), "ssh A", "tls B", true},
		"one name in other letters":       {host("x", "ESX1.corp.example", "ssh", 22), host("y", "esx1.corp.example", "ssh", 22), "", "none", true},
		"one identity":                    {host("x", "192.0.2.1", "ssh", 22), host("y", "esx1.corp.example", "ssh", 22), "ssh A", "ssh A", true},
		"one name, two addresses":         {host("esx1", "192.0.2.1", "ssh", 22), host("esx1", "192.0.2.2", "ssh", 22), "ssh A", "ssh B", false},
		"no identity is none":             {host("x", "192.0.2.1", "winrm", 0), host("y", "192.0.2.2", "winrm", 0), "none", "none", false},
		"ports of a loopback address":     {host("x", "127.0.0.1", "ssh", 2201), host("y", "127.0.0.1", "ssh", 2202), "ssh A", "ssh B", false},
		"one port of a loopback address":  {host("x", "127.0.0.1", "ssh", 2201), host("y", "127.0.0.1", "ssh", 2201), "", "", true},
		"guests of two vCenters":          {host("g", "g", "guest", 0), host("g", "g", "guest", 0), "guest vm 1 via A", "guest vm 1 via B", false},
		"guests of which nothing is seen": {host("g", "g", "guest", 0), host("g", "g", "guest", 0), "", "", true},
		"one guest by two names and ways": {uuid(host("web", "192.0.2.1", "winrm", 0), "5012-AB"), uuid(host("vm-web", "vm-web", "guest", 0), "5012-ab"), "tls A", "guest vm 1 via B", true},
		"one name, two guests":            {uuid(host("g", "g", "guest", 0), "5012-ab"), uuid(host("g", "g", "guest", 0), "5012-cd"), "", "", false},
		"a guest without a UUID":          {uuid(host("g", "192.0.2.1", "winrm", 0), ""), uuid(host("h", "192.0.2.2", "winrm", 0), ""), "", "", false},
		"this machine":                    {host(engine.Localhost, "", "local", 0), host("here", "here", "local", 0), "local", "local", true},
	} {
		a, b := machine(tt.a, tt.ida), machine(tt.b, tt.idb)
		if meet := slices.ContainsFunc(a, func(k string) bool { return slices.Contains(b, k) }); meet != tt.meet {
			t.Errorf("%s: %v, want %v: %q %q", name, meet, tt.meet, a, b)
		}
	}
}
