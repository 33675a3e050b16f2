package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// writeInventory writes DIR/inventory.hcl and DIR/known_hosts.
func (l *Lab) writeInventory() error {
	var b strings.Builder
	l.groups(&b)
	l.managers(&b)
	refs := l.vcenter.Refs()
	for _, h := range l.hosts {
		ip, port := h.door.Addr()
		ref := ""
		if l.opts.Static {
			ref = fmt.Sprintf("  esxi_ref = %q\n", refs[h.name])
		}
		fmt.Fprintf(&b, "host %q {\n  address = %q\n  groups  = [\"esxi\"]\n  dsva    = %q\n%s  connection \"ssh\" {\n    port = %s\n  }\n}\n\n", h.name, ip, h.appliance.name, ref, port)
		ip, port = h.appliance.door.Addr()
		fmt.Fprintf(&b, "host %q {\n  address = %q\n  groups  = [\"dsva\"]\n  esxi    = %q\n  uuid    = %q\n  connection \"ssh\" {\n    port = %s\n  }\n}\n\n", h.appliance.name, ip, h.name, h.appliance.uuid, port)
	}
	for _, g := range l.guests {
		l.guestBlock(&b, g)
	}
	if !l.opts.Static {
		fmt.Fprintf(&b, "# Adds what the vCenter knows to the hosts above: uuid, bios_uuid, esxi, power …\nsource \"vsphere\" %q {\n  from      = %q\n  groups    = { guests = \"guests\", esxi = \"esxi\" }\n  appliance = %s\n}\n",
			vcenterName, vcenterName, quote(l.appliancePattern()))
	}
	if err := os.WriteFile(filepath.Join(l.opts.Dir, "inventory.hcl"), []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.opts.Dir, "known_hosts"), []byte(l.knownHosts()), 0o600)
}

func (l *Lab) groups(b *strings.Builder) {
	fmt.Fprintf(b, `# Written by dslab. The lab listens on loopback addresses with ports of its own, so every host has a port here.
group "esxi" {
  vcenter = %[1]q
  dsm     = %[2]q
%[12]s  connection "ssh" {
    user        = %[3]q
    key         = %[4]s
    known_hosts = %[5]s
  }
}

group "dsva" {
  connection "ssh" {
    user        = %[6]q
    key         = %[4]s
    known_hosts = %[5]s
  }
  sudo {
    password = secret(%[7]s)
  }
}

group "guests" {
  vcenter = %[1]q
  dsm     = %[2]q
%[12]s  connection %[10]q {
    user     = %[8]s
    password = secret(%[9]s)
%[11]s  }
}

`, vcenterName, dsmName, hostUser, l.path("id_ed25519"), l.path("known_hosts"), applianceUser, l.secret("dsva"),
		quote(`LAB\`+guestUser), l.secret("guests"), l.guestWay(), l.guestWaySettings(), l.nsxAttribute())
}

// guestWay is the transport to the guests.
func (l *Lab) guestWay() string {
	if l.opts.GuestOps {
		return "guest"
	}
	return "winrm"
}

func (l *Lab) guestWaySettings() string {
	switch {
	case l.opts.GuestOps:
		return fmt.Sprintf("    vcenter  = %q\n", vcenterName)
	case l.opts.PlainWS:
		return "    https    = false\n"
	}
	return fmt.Sprintf("    https    = true\n    ca       = %s\n", l.path("ca.pem"))
}

func (l *Lab) managers(b *strings.Builder) {
	ip, port := l.vcDoor.Addr()
	fmt.Fprintf(b, "host %q {\n  address = %q\n  connection \"https\" {\n    kind     = \"vsphere\"\n    port     = %s\n    user     = %q\n    password = secret(%s)\n    ca       = %s\n  }\n}\n\n",
		vcenterName, ip, port, vcenterUser, l.secret("vcenter"), l.path("ca.pem"))
	ip, port = l.dsmDoor.Addr()
	login := fmt.Sprintf("    user     = %q\n    password = secret(%s)\n", dsmUser, l.secret("dsm"))
	if !l.opts.NoREST {
		login = fmt.Sprintf("    api_key  = secret(%s)\n", l.secret("dsm_apikey")) + login
	}
	fmt.Fprintf(b, "host %q {\n  address = %q\n  connection \"https\" {\n    kind     = \"dsm\"\n    port     = %s\n%s    ca       = %s\n  }\n}\n\n",
		dsmName, ip, port, login, l.path("ca.pem"))
	l.nsxBlock(b)
}

func (l *Lab) guestBlock(b *strings.Builder, g *guest) {
	ip, port := g.door.Addr()
	fmt.Fprintf(b, "host %q {\n", g.name)
	if !l.opts.GuestOps { // nobody needs to know where it is
		fmt.Fprintf(b, "  address = %q\n", ip)
	}
	b.WriteString("  groups  = [\"guests\"]\n" + l.nsxTag(g))
	if l.opts.Static {
		fmt.Fprintf(b, "  uuid      = %q\n  bios_uuid = %q\n  esxi      = %q\n", g.uuid, g.bios, g.where().name)
	}
	if !l.opts.GuestOps {
		fmt.Fprintf(b, "  connection \"winrm\" {\n    port = %s\n  }\n", port)
	}
	b.WriteString("}\n\n")
}

// appliancePattern fits the VM names of the appliances, which are no guests.
func (l *Lab) appliancePattern() string {
	return "^" + strings.Replace(regexp.QuoteMeta(l.opts.Appliance), "%d", "[0-9]+", 1) + "$"
}

func (l *Lab) path(name string) string { return quote(filepath.Join(l.opts.Dir, name)) }

func (l *Lab) secret(name string) string {
	return quote("file:" + filepath.Join(l.opts.Dir, "secrets", name))
}

// quote makes a string of HCL: the escapes are Go's, and templates are told to stay out.
func quote(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(s))
}

func (l *Lab) knownHosts() string {
	var b strings.Builder
	for _, h := range l.hosts {
		for _, m := range []*shell{&h.shell, &h.appliance.shell} {
			ip, port := m.door.Addr()
			fmt.Fprintf(&b, "[%s]:%s %s", ip, port, m.publicKey())
		}
	}
	return b.String()
}
