package approve

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Held gives the fingerprints of the keys with which the person at this machine could sign, sorted: those of a folder
// (~/.ssh), by their public halves or by private keys without one beside them, and those of the agent. What cannot be
// read is left out: this keeps honest people from approving their own plans, and nobody else.
func (k Keys) Held(folder string) []string {
	var held []string
	entries, _ := os.ReadDir(folder) // no folder, no keys
	for _, e := range entries {
		text, _, err := readSmall(filepath.Join(folder, e.Name()))
		if err != nil {
			continue
		}
		if public := publicOf(e.Name(), text); public != nil {
			held = append(held, Fingerprint(public))
		}
	}
	if conn, err := k.dial(); err == nil {
		listed, _ := agent.NewClient(conn).List() // an agent that does not answer holds nothing for us
		for _, l := range listed {
			if public, err := ssh.ParsePublicKey(l.Blob); err == nil {
				held = append(held, Fingerprint(public))
			}
		}
		_ = conn.Close() // it was only asked
	}
	slices.Sort(held)
	return slices.Compact(held)
}

// publicOf is the public half of a key in a file; nil when the file is neither half of one.
func publicOf(name string, text []byte) ssh.PublicKey {
	if strings.HasSuffix(name, ".pub") {
		public, _, _, _, err := ssh.ParseAuthorizedKey(text)
		if err != nil {
			return nil
		}
		return public
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer.PublicKey()
	case errors.As(err, &locked):
		return locked.PublicKey
	}
	return nil
}
