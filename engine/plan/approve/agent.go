package approve

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// held is a key that an agent holds.
type held struct {
	ssh.Signer
	comment string
}

func (h held) String() string {
	return fmt.Sprintf("agent:%s (%s, %s)", Fingerprint(h.PublicKey()), h.PublicKey().Type(), Plain(h.comment))
}

// patience is how long an agent may take to say which keys it has. To sign it may take as long as people do: it may ask
// them, or wait for a touch.
const patience = 10 * time.Second

func (k Keys) dial() (net.Conn, error) {
	if k.Socket == "" {
		return nil, errors.New("there is no agent: SSH_AUTH_SOCK is not set (eval $(ssh-agent); ssh-add)")
	}
	conn, err := net.DialTimeout("unix", k.Socket, patience)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		return nil, fmt.Errorf("the agent of SSH_AUTH_SOCK: %w", err)
	}
	return conn, nil
}

// agentKeys lists the keys of the agent that can sign a plan. Certificates are left out: they are keys once more.
func (k Keys) agentKeys() (keys []held, conn net.Conn, err error) {
	if conn, err = k.dial(); err != nil {
		return nil, nil, err
	}
	client := agent.NewClient(conn)
	listed, err := client.List()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ask the agent for its keys: %w", err), conn.Close())
	}
	signers, err := client.Signers()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ask the agent for its keys: %w", err), conn.Close())
	}
	for _, signer := range signers {
		for _, l := range listed {
			if string(signer.PublicKey().Marshal()) == string(l.Blob) && isSafe(l.Format) {
				keys = append(keys, held{signer, l.Comment})
				break
			}
		}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return keys, conn, nil
}

// ofAgent finds a key in the agent.
func (k Keys) ofAgent(public ssh.PublicKey) (*Key, error) {
	return k.choose(func(h held) bool { return same(h.PublicKey(), public) }, func([]held) error {
		return fmt.Errorf("the agent does not have %s (ssh-add -l lists what it has)", Fingerprint(public))
	})
}

// fromAgent finds the key of a fingerprint or a comment; without either, the only one.
func (k Keys) fromAgent(word string) (*Key, error) {
	wanted := func(h held) bool {
		return word == "" || h.comment == word || Fingerprint(h.PublicKey()) == word
	}
	return k.choose(wanted, func(keys []held) error {
		switch {
		case len(keys) == 0:
			return errors.New("the agent has no key that can sign a plan (ssh-add adds one)")
		case word == "":
			return fmt.Errorf("the agent has %d keys; say which: --key%s", len(keys), list(keys))
		}
		return fmt.Errorf("not exactly one key of the agent is %q; it has%s", word, list(keys))
	})
}

func list(keys []held) string {
	var b strings.Builder
	for _, h := range keys {
		b.WriteString("\n  " + h.String())
	}
	return b.String()
}

// choose gives the one key of the agent that is wanted; none or several are an error, which gets all of them.
func (k Keys) choose(wanted func(held) bool, otherwise func([]held) error) (*Key, error) {
	keys, conn, err := k.agentKeys()
	if err != nil {
		return nil, err
	}
	var chosen []held
	for _, h := range keys {
		if wanted(h) {
			chosen = append(chosen, h)
		}
	}
	if len(chosen) != 1 {
		return nil, errors.Join(otherwise(keys), conn.Close())
	}
	return newKey(chosen[0].Signer, conn.Close)
}
