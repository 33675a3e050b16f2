package knownhosts

import "testing"

// FuzzParse: no file ends the program, and no name is known by a line that is none.
func FuzzParse(f *testing.F) {
	f.Add("a,b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFb1\n@revoked * ssh-rsa AAAA\n|1|YQ==|YQ== ssh-rsa AAAA\n@cert-authority *.x ssh-rsa AAAAB3NzaC1yc2E=\n", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		read, err := parse("f", text)
		if err != nil {
			return
		}
		set := &Set{[]*file{read}}
		for _, l := range set.For(name) {
			if l.Marker == Revoked || l.Number == 0 || len(l.Key) < 4 {
				t.Errorf("%+v", l)
			}
		}
		_, _ = set.Unread(), writable(name)
	})
}
