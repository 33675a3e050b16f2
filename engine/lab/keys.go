package lab

import (
	"crypto/rand"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"github.com/dsplay/dsplay/engine/lab/pki"
)

// keys are what opens the systems of a lab. The files below DIR/secrets hold one secret each.
type keys struct {
	authority *pki.Authority
	user      ssh.PublicKey // of DIR/id_ed25519

	guests, appliances, hosts, vcenter, dsm, apiKey, proxy, nsx string
}

// The users of the systems.
const (
	guestUser     = "ops" // LAB\ops in the inventory
	applianceUser = "dsva"
	hostUser      = "root"
	vcenterUser   = "ops@vsphere.local"
	dsmUser       = "ops"
	nsxUser       = "ops"
)

func writeKeys(dir string, authority *pki.Authority) (*keys, error) {
	signer, private, err := pki.UserKey()
	if err != nil {
		return nil, err
	}
	k := &keys{authority: authority, user: signer.PublicKey(), guests: rand.Text(), appliances: rand.Text(), hosts: rand.Text(),
		proxy: rand.Text(), vcenter: rand.Text(), dsm: rand.Text(), apiKey: "2:" + rand.Text() + rand.Text(), nsx: rand.Text()}
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{
		"id_ed25519":         private,
		"id_ed25519.pub":     ssh.MarshalAuthorizedKey(k.user),
		"ca.pem":             authority.PEM(),
		"secrets/guests":     []byte(k.guests),
		"secrets/dsva":       []byte(k.appliances),
		"secrets/esxi":       []byte(k.hosts),
		"secrets/vcenter":    []byte(k.vcenter),
		"secrets/dsm":        []byte(k.dsm),
		"secrets/dsm_apikey": []byte(k.apiKey),
		"secrets/proxy":      []byte(k.proxy),
		"secrets/nsx":        []byte(k.nsx),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *keys) secrets() []string {
	return []string{k.guests, k.appliances, k.hosts, k.vcenter, k.dsm, k.apiKey, k.proxy, k.nsx}
}
