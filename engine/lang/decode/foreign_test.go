package decode_test

import (
	"testing"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

func TestForeign(t *testing.T) {
	for _, c := range []struct{ path, text, want string }{
		{"inventory.yml", "", "YAML"},
		{"hosts", "---\nall:\n", "YAML"},
		{"hosts", "# by hand\n\nall:\n  hosts:\n", "YAML"},
		{"site", "- hosts: web\n", "YAML"},
		{"hosts", "\ufeff[web]\nh1\n", "INI"},
		{"hosts", "h1 ansible_host=192.0.2.1 ansible_user=root\n", "INI"},
		{"hosts.ini", "h1\n", "INI"},
		{"x.json", "", "JSON"},
		{"x", "{ \"a\": 1 }", "JSON"},
		{"x.hcl", "", ""},
		{"x.hcl", "host \"h1\" {\n}\n", ""},
		{"x.hcl", "a = [1]\n", ""},
		{"x.hcl", "/* all: */\n", ""},
		{"x.hcl", "group \"web\" {\n", ""},
	} {
		if got := decode.Foreign(c.path, []byte(c.text)); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.path, c.text, got, c.want)
		}
	}
}
