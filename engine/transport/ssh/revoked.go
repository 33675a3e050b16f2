package ssh

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// revokedKeys are keys that are never accepted, with the place where that is said.
type revokedKeys map[string]string

// readRevoked reads a file as RevokedHostKeys of ssh_config(5) has it: public keys, one a line. It may also be a KRL
// there, which is not read here, and must not be taken for an empty list.
func readRevoked(path string) (revokedKeys, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the revoked host keys: %w", err)
	}
	if strings.HasPrefix(string(text), "SSHKRL\n") {
		return nil, fmt.Errorf("%s is a KRL (ssh-keygen -k), which dsplay does not read: write the keys as text", path)
	}
	keys := revokedKeys{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		place := fmt.Sprintf("%s:%d", path, number)
		if len(fields) < 2 {
			return nil, fmt.Errorf("%s: no public key", place)
		}
		key, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || len(key) == 0 {
			return nil, fmt.Errorf("%s: no public key", place)
		}
		keys[string(key)] = place
	}
	return keys, nil
}
